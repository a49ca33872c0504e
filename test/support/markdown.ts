// Extracts what a reader of our Markdown can copy or click. It supports only the Markdown that we use.

export interface Block {
  /** The language after the opening fence: "sh", "ts", or nothing. */
  readonly language: string;
  readonly text: string;
}

const FENCED = /^```(\w*)\n([\s\S]*?)^```$/gm;
const CODE = /`([^`]+)`/g;
const COMMAND =
  /^(?:[A-Z_]+=\S+ )*(?:npx|npm|node|docker|docker-compose|pip|python3?|source|curl|git|go|grpcurl|--\S+)(?: |$)/;

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(FENCED)].map(([, language = '', text = '']) => ({ language, text: text.trimEnd() }));
}

/** Commands of a shell block, one a line unless a line ends with "|" or "\"; without their comments. */
export function commandsOf(text: string): string[] {
  return text
    .replaceAll(/ +# .*$/gm, '')
    .replaceAll(/([|\\])\n */g, '$1\u0000')
    .split('\n')
    .map((line) => line.replaceAll('\\\u0000', '').replaceAll('\u0000', ' ').trim())
    .filter((line) => line !== '');
}

/** Commands in text and in tables. A single option counts as a command, to show that it cannot be typed alone. */
export function inlineCommandsOf(markdown: string): string[] {
  const prose = markdown.replaceAll(FENCED, '');
  return [...prose.matchAll(CODE)]
    .map(([, code = '']) => code.replaceAll(/\s+/g, ' '))
    .filter((code) => COMMAND.test(code));
}

/** Addresses to open: <http://127.0.0.1:8080/>. */
export function localAddressesOf(markdown: string): string[] {
  return [...markdown.matchAll(/<(http:\/\/127\.0\.0\.1[^>]*)>/g)].map(([, url = '']) => url);
}

/** Targets of links and pictures, as written. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(FENCED, '').replaceAll(CODE, (code) => code.replaceAll(/[[\]()]/g, ''));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors for "#" in a link to it, as GitHub creates them from headings. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.replaceAll(FENCED, '').matchAll(/^#+ +(.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
