/** The glossary as it is searched, and as a page of the documentation. */
import type { HelpEntry, HelpGroup } from './entry'

/** Without accents, in small letters, and with the powers and indices of formulas as plain digits. */
const plain = (text: string) => text.normalize('NFKD').toLowerCase()

/** How well `entry` answers `word`: 3 its id or title begins with it, 2 its title holds it, 1 its text does, 0 not at all. */
function rank({ id, title, text, formula, source }: HelpEntry, word: string): number {
  if (plain(title).startsWith(word) || id.startsWith(word)) return 3
  if (plain(title).includes(word)) return 2
  return plain(`${text} ${formula ?? ''} ${source}`).includes(word) ? 1 : 0
}

/**
 * The groups with the entries that have every word of `query`; those whose title has them come first. All of them for an
 * empty query; groups without an entry are left out.
 */
export function searchHelp(groups: readonly HelpGroup[], query: string): readonly HelpGroup[] {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return groups
  return groups.flatMap((group) => {
    const found = group.entries
      .map((entry) => ({ entry, ranks: words.map((word) => rank(entry, word)) }))
      .filter(({ ranks }) => ranks.every((each) => each > 0))
    const sum = (ranks: readonly number[]) => ranks.reduce((total, each) => total + each, 0)
    found.sort((a, b) => sum(b.ranks) - sum(a.ranks))
    return found.length === 0 ? [] : [{ ...group, entries: found.map(({ entry }) => entry) }]
  })
}

/** The entries as `docs/glossary.md` has them. */
export function glossaryMarkdown(groups: readonly HelpGroup[]): string {
  const sections = groups.map(({ title, entries }) => `## ${title}\n\n${entries.map(entryMarkdown).join('\n')}`)
  return `${HEAD}\n${sections.join('\n')}`
}

const HEAD = `# Glossary

Everything the page's help says, as its "?" buttons and its glossary show it. In the page an entry has the address \`#help=<id>\`. The text is \`src/help/\`; this
page is written from it by \`npx vitest run --project unit test/help -u\`, and the test fails while the two differ.
`

function entryMarkdown({ id, title, text, formula, source }: HelpEntry): string {
  const lines = [`**${escapeMarks(title)}** (\`${id}\`). ${escapeMarks(text)}`]
  if (formula !== null) lines.push('', `    ${formula}`)
  return `${[...lines, '', `*Source: ${escapeMarks(source)}.*`].join('\n')}\n`
}

/** Asterisks and underscores of names are no emphasis. */
function escapeMarks(text: string): string {
  return text.replace(/[*_]/g, (mark) => `\\${mark}`)
}
