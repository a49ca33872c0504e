// The response of a route.

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const TEXT = 'text/plain; charset=utf-8';

export function text(body: string, status = 200, headers: Reply['headers'] = {}): Reply {
  return { status, type: TEXT, body: `${body}\n`, headers };
}

export function json(body: unknown, status = 200): Reply {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

/** An error in the form of `ReasonError`: what happened, and what to do next. */
export function refusal(status: number, reason: string, message: string, headers: Reply['headers'] = {}): Reply {
  return { ...json({ reason, message }, status), headers };
}

/** An exception that carries a refusal. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reply: Reply;

  constructor(...refused: Parameters<typeof refusal>) {
    super(refused[2]);
    this.reply = refusal(...refused);
  }
}
