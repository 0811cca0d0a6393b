/** What the glossary and the small "?" buttons say, as data. Loaded when the first of them is asked for. */

/** One thing that can be asked about. */
export interface HelpEntry {
  /** Stable: the value of the link key `help`, and the anchor in the glossary. */
  readonly id: string
  readonly title: string
  /** Two to five sentences: what it is, when one would change it, what it costs, and where ours differs from its source. */
  readonly text: string
  /** In plain Unicode; null where there is nothing to calculate. */
  readonly formula: string | null
  /** Paper, clause or code it is taken from; our own pages and files where it is ours. */
  readonly source: string
}

/** Entries that are read together. */
export interface HelpGroup {
  readonly id: string
  readonly title: string
  readonly entries: readonly HelpEntry[]
}
