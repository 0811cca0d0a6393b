import type { HelpEntry } from '../../help/entry'
import styles from './help.module.css'

/** What an entry says: its text, its formula and where both come from. `level`: the heading before it; without one, none. */
export function EntryText({ entry, level }: { readonly entry: HelpEntry; readonly level?: 2 }) {
  const { title, text, formula, source } = entry
  return (
    <>
      {level === 2 && <h2 className={styles.title}>{title}</h2>}
      <p>{text}</p>
      {formula !== null && <p className={styles.formula}>{formula}</p>}
      <p className={styles.source}>Source: {source}</p>
    </>
  )
}
