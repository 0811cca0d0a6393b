import type { ReactNode } from 'react'
import { type RailSectionId, railSummary } from '../../store/rail-summary'
import { useActions, useApp } from '../use-app'
import styles from './Rail.module.css'

interface RailSectionProps {
  readonly id: RailSectionId
  readonly title: string
  /** Beside the title. */
  readonly aside?: ReactNode
  /** Stays in sight when the section is folded. */
  readonly always?: ReactNode
  readonly children: ReactNode
}

/** A section of the rail. Folded, it is one line that says what is chosen in it. */
export function RailSection({ id, title, aside, always, children }: RailSectionProps) {
  const folded = useApp((state) => state.view.folded.includes(id))
  const summary = useApp((state) => railSummary(state, id))
  const { toggleSection } = useActions()
  return (
    <section className={styles.section} aria-labelledby={`${id}-heading`}>
      <div className={styles.head}>
        <h2 id={`${id}-heading`}>
          <button
            type="button"
            data-test={`rail-${id}`}
            aria-expanded={!folded}
            aria-controls={`${id}-fields`}
            onClick={() => toggleSection(id)}
          >
            <span aria-hidden className={styles.arrow}>
              {folded ? '▸' : '▾'}
            </span>
            {title}
          </button>
        </h2>
        {folded && (
          <p className={styles.summary} title={summary} data-test={`rail-summary-${id}`}>
            {summary}
          </p>
        )}
        {aside}
      </div>
      {always}
      <div className={styles.fields} id={`${id}-fields`} hidden={folded}>
        {children}
      </div>
    </section>
  )
}
