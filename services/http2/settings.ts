// SETTINGS (RFC 9113, section 6.5) of the peer and of this side.
import { ConnectionError, ErrorCode, frameSizeError, protocolError } from './error-codes.ts';
import { DEFAULT_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW, readUint32 } from './frames.ts';
import type { Limits } from './limits.ts';

const Setting = {
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

const SETTING_BYTES = 6;
const LARGEST_FRAME = 16_777_215;

/**
 * The peer's settings. Settings that this side does not need are only checked: it uses no dynamic table, and its frames
 * are never larger than the size that every peer must accept.
 */
export class PeerSettings {
  maxConcurrentStreams = Infinity;
  initialWindow = DEFAULT_WINDOW;

  /** Reads the payload of a SETTINGS frame. `fromServer`: the sender is a server. Throws ConnectionError. */
  read(buffer: Uint8Array, start: number, end: number, fromServer: boolean): void {
    if ((end - start) % SETTING_BYTES !== 0) throw frameSizeError('SETTINGS has a length that is no multiple of 6');
    for (let at = start; at < end; at += SETTING_BYTES) {
      this.#set((buffer[at]! << 8) | buffer[at + 1]!, readUint32(buffer, at + 2), fromServer);
    }
  }

  #set(setting: number, value: number, fromServer: boolean): void {
    switch (setting) {
      case Setting.ENABLE_PUSH:
        if (value > 1 || (value === 1 && fromServer)) throw protocolError(`SETTINGS_ENABLE_PUSH is ${value}`);
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) {
          throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`);
        }
        this.initialWindow = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < MAX_FRAME_BYTES || value > LARGEST_FRAME)
          throw protocolError(`SETTINGS_MAX_FRAME_SIZE is ${value}`);
        break;
      default:
        break;
    }
  }
}

/** The payload of this side's only SETTINGS frame. */
export function encodeSettings(limits: Limits, role: 'server' | 'client'): Buffer {
  const settings: [number, number][] = [
    role === 'server' ? [Setting.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams] : [Setting.ENABLE_PUSH, 0],
    [Setting.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [Setting.MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
  ];
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  settings.forEach(([setting, value], index) => {
    payload.writeUInt16BE(setting, index * SETTING_BYTES);
    payload.writeUInt32BE(value, index * SETTING_BYTES + 2);
  });
  return payload;
}
