const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Characters that XML has no place for, escaped or not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question.
const NO_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu

/** `text` as it stands inside an element or a quoted attribute of HTML or XML. */
export function escaped(text: string): string {
  return text.replace(NO_XML, '\uFFFD').replace(/[&<>"']/g, (character) => NAMED[character])
}

/** Lines of at most `most` characters, broken between words; a longer word is cut. */
export function wrapped(text: string, most: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).flatMap((each) => each.match(new RegExp(`.{1,${most}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
