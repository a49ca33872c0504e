import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { EMPTY_CHECKSUM } from '../../services/engines/sidecar/message-checksum.ts';

/** Encodes with room for the checksum at the end. The message's own field `checksum` must be 0. */
export function withRoom<Message>(
  encode: (message: Message, writer: BinaryWriter) => BinaryWriter,
): (message: Message, writer: BinaryWriter) => BinaryWriter {
  return (message, writer) => encode(message, writer).raw(EMPTY_CHECKSUM);
}
