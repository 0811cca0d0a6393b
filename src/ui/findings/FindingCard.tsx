import { useMemo } from 'react'
import type { FindingId } from '../../experiment/findings/needs'
import type { Finding, FindingVerdict, Judgement } from '../../experiment/findings/verdict'
import { drawFinding, findingTable, VERDICT_TEXT } from '../../figures/finding'
import { type ViewId, viewById } from '../../store/views'
import { useTheme } from '../main/figure-look'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions } from '../use-app'
import styles from './findings.module.css'

/** Where more of a finding is shown. */
const VIEW_OF: Readonly<Record<FindingId, ViewId>> = {
  mxfp8: 'error',
  w4a4: 'error',
  rotation: 'rotation',
  affine: 'figure5',
  compensation: 'grid',
  rtn: 'grid',
  scales: 'scales',
  'pre-scale': 'scales',
}

const GLYPHS: Readonly<Record<FindingVerdict, string>> = { holds: '✓', fails: '✕', undecided: '?', pending: '…' }

interface CardProps {
  readonly finding: Finding
  readonly judgement: Judgement
}

export function FindingCard({ finding: { id, claim, source, rule, axis }, judgement }: CardProps) {
  const { verdict, number, sentence, values } = judgement
  const { setView } = useActions()
  const theme = useTheme()
  // A part of the evidence would be seen without what it is held against.
  const isDrawn = verdict !== 'pending' && values.length > 0
  const figure = useMemo(() => (isDrawn ? drawFinding(values, axis, theme) : null), [isDrawn, values, axis, theme])
  const view = viewById(VIEW_OF[id])
  const name = `finding-${id}`
  return (
    <article className={styles.card} data-test={name} data-verdict={verdict} aria-labelledby={name}>
      <div className={styles.title}>
        <h2 id={name}>{claim}</h2>
        <span className={styles.verdict} data-verdict={verdict} data-test={`${name}-verdict`}>
          <span aria-hidden>{GLYPHS[verdict]}</span> {VERDICT_TEXT[verdict]}
        </span>
      </div>
      {number !== null && (
        <p className={styles.number} data-test={`${name}-number`}>
          {number}
        </p>
      )}
      {figure ? (
        <div className={styles.figure}>
          <Plot figure={figure} title={claim} label={sentence}>
            <FigureData name={claim} table={() => findingTable(values, axis)} />
          </Plot>
        </div>
      ) : (
        <p className={styles.note}>{verdict === 'pending' ? rule : sentence}</p>
      )}
      <details className={styles.rule}>
        <summary>Rule and source</summary>
        <p>{rule} Otherwise it cannot be told from this data.</p>
        <p>arXiv 2601.09555. {source}</p>
      </details>
      <button type="button" className={styles.more} onClick={() => setView(view.id)}>
        See more in {view.label}
      </button>
    </article>
  )
}
