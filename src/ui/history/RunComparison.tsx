import { Button } from '@mantine/core'
import { Fragment, useEffect, useMemo, useRef } from 'react'
import { describeRunComparison, drawRunComparison, runComparisonTable } from '../../figures/run-comparison'
import type { RunSummary } from '../../store/history'
import { comparedScores, differences, runTitle } from '../../store/history-text'
import { MethodMark } from '../MethodMark'
import { useTheme } from '../main/figure-look'
import { Plot } from '../plot/Plot'
import { useVocabulary } from '../use-app'
import styles from './history.module.css'
import { exactTime } from './run-time'

interface PairProps {
  readonly a: RunSummary
  readonly b: RunSummary
}

interface RunComparisonProps extends PairProps {
  readonly onBack: () => void
  readonly onOpen: (id: string) => void
}

/** Two runs side by side: what differs in their settings, and what came of it. */
export function RunComparison({ a, b, onBack, onOpen }: RunComparisonProps) {
  const vocabulary = useVocabulary()
  const theme = useTheme()
  const back = useRef<HTMLButtonElement>(null)
  const compared = useMemo(() => comparedScores(a, b, vocabulary), [a, b, vocabulary])
  const figure = useMemo(() => drawRunComparison(compared, theme), [compared, theme])
  const changed = differences(a, b, vocabulary)
  useEffect(() => back.current?.focus(), [])
  return (
    <div className={styles.comparison} data-test="run-comparison">
      <Button ref={back} size="compact-sm" variant="default" data-test="runs-back" onClick={onBack}>
        Back to the list
      </Button>
      <dl className={styles.pair}>
        <Run name="A" run={a} onOpen={() => onOpen(a.id)} />
        <Run name="B" run={b} onOpen={() => onOpen(b.id)} />
      </dl>
      <p data-test="run-differences">
        <strong>From A to B:</strong> {changed.length === 0 ? 'the settings are the same' : changed.join('; ')}.
      </p>
      <Numbers a={a} b={b} />
      <div className={styles.plot} style={{ height: 120 + 28 * compared.length }}>
        <Plot figure={figure} title="Two runs" label={describeRunComparison(compared)} isListed={false} />
      </div>
    </div>
  )
}

interface RunProps {
  readonly name: string
  readonly run: RunSummary
  readonly onOpen: () => void
}

function Run({ name, run, onOpen }: RunProps) {
  const vocabulary = useVocabulary()
  return (
    <>
      <dt>
        {name === 'A' ? '○' : '◆'} {name}
      </dt>
      <dd>
        <button type="button" className={styles.title} title="Open this run" onClick={onOpen}>
          {runTitle(run, vocabulary)}
        </button>
        <span className={styles.facts}>
          {exactTime(run.time)}, MXScope {run.version}
        </span>
      </dd>
    </>
  )
}

/** The same numbers as the figure, and the relative errors. */
function Numbers({ a, b }: PairProps) {
  const vocabulary = useVocabulary()
  const compared = comparedScores(a, b, vocabulary)
  const { rows } = runComparisonTable(compared)
  const groups = ['Output SQNR [dB]', 'Relative error'] as const
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus, so that a keyboard can scroll it.
    <section className={styles.scroll} aria-label="Numbers of both runs" tabIndex={0}>
      <table className={styles.table}>
        <caption>Evaluation rows. B − A: of the numbers shown.</caption>
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              Method
            </th>
            {groups.map((group) => (
              <th key={group} scope="colgroup" colSpan={3}>
                {group}
              </th>
            ))}
          </tr>
          <tr>
            {groups.map((group) => (
              <Fragment key={group}>
                <th scope="col">A</th>
                <th scope="col">B</th>
                <th scope="col">B − A</th>
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, ...cells], at) => (
            <tr key={label} data-test={`run-row-${compared[at].method}`}>
              <th scope="row">
                <MethodMark id={compared[at].method} /> {label}
              </th>
              {[...cells.entries()].map(([place, cell]) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
