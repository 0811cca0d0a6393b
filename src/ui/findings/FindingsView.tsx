import { Button } from '@mantine/core'
import { useMemo } from 'react'
import { FINDINGS } from '../../experiment/findings/findings'
import type { Judgement } from '../../experiment/findings/verdict'
import { summaryOf } from '../../figures/finding'
import { allEvidence, judgeAll } from '../../store/findings-text'
import { layerFacts } from '../../store/selectors'
import { useActions, useApp } from '../use-app'
import { FindingCard } from './FindingCard'
import styles from './findings.module.css'

/** Each takeaway of the paper on the layer on screen: its figure, its number and its verdict. */
export function FindingsView() {
  const judgements = useJudgements()
  return (
    <div className={styles.view} data-test="panel-findings">
      <Head judgements={judgements} />
      <div className={styles.cards}>
        {FINDINGS.map((finding, i) => (
          <FindingCard key={finding.id} finding={finding} judgement={judgements[i]} />
        ))}
      </div>
    </div>
  )
}

/** In the order of FINDINGS. */
function useJudgements(): readonly Judgement[] {
  const facts = useApp(layerFacts)
  const evidence = useApp(allEvidence)
  return useMemo(() => judgeAll(evidence, facts), [facts, evidence])
}

function Head({ judgements }: { readonly judgements: readonly Judgement[] }) {
  const missing = useApp((state) => allEvidence(state).filter((outcome) => outcome === undefined).length)
  const running = useApp(({ run }) => run.runId !== null)
  const ready = useApp(({ device, source }) => device.status === 'ready' && source.weight !== null)
  const synthetic = useApp((state) => layerFacts(state)?.activations.kind === 'synthetic')
  const { measureFindings } = useActions()
  return (
    <header className={styles.head}>
      <p data-test="findings-summary" aria-live="polite">
        {summaryOf(judgements)}
        {synthetic && ' Activations are synthetic: they know nothing of the weights.'}
      </p>
      <p className={styles.note}>
        Measured with default options under the conditions of arXiv 2601.09555: blocks of 32, scale rule floor, half to
        even, pre-scale 3/4. A layer’s output error is not a model’s accuracy, which is what the paper reports.
      </p>
      {missing > 0 && (
        <Button
          size="compact-sm"
          data-test="findings-measure"
          disabled={!ready || running}
          onClick={measureFindings}
          className={styles.measure}
        >
          {running ? `Measuring, ${missing} to go` : `Measure ${missing} missing comparisons`}
        </Button>
      )}
    </header>
  )
}
