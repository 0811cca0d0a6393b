/** The findings on the layer on screen, judged, and as a table for a report. */
import { FINDINGS, judgeFinding } from '../experiment/findings/findings'
import { allNeeds, needKey } from '../experiment/findings/needs'
import type { Judgement } from '../experiment/findings/verdict'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import { VERDICT_TEXT } from '../figures/finding'
import { evidenceOf } from './findings'
import { layerFacts } from './selectors'
import type { AppState } from './state'

const NEEDS = allNeeds()

/** What is measured for each need, in the order of `allNeeds`. */
export function allEvidence(state: AppState): readonly (MethodOutcome | undefined)[] {
  return NEEDS.map((need) => evidenceOf(state, need))
}

/** In the order of FINDINGS. `evidence` is that of `allEvidence`. */
export function judgeAll(
  evidence: readonly (MethodOutcome | undefined)[],
  facts: LayerFacts | null,
): readonly Judgement[] {
  const known = new Map(NEEDS.map((need, i) => [needKey(need), evidence[i]]))
  return FINDINGS.map((finding) => judgeFinding(finding, (need) => known.get(needKey(need)), facts))
}

/** Every finding that is measured with its number, verdict and rule; null where none is. */
export function findingsTable(state: AppState) {
  const judgements = judgeAll(allEvidence(state), layerFacts(state))
  const rows = FINDINGS.flatMap(({ claim, rule }, i) => {
    const { verdict, number, sentence } = judgements[i]
    return verdict === 'pending' ? [] : [[claim, VERDICT_TEXT[verdict], number ?? '–', sentence, rule]]
  })
  return rows.length === 0 ? null : { columns: ['Finding', 'Verdict', 'Number', 'Measured', 'Rule'], rows }
}
