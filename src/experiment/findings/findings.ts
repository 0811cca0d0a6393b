/** The paper's takeaways (product.md, section 7), judged on one layer. */
import type { LayerFacts } from '../result'
import { AFFINE_WINS, COMPENSATION_WINS, ROTATION_HURTS, RTN_STRONG } from './rules-methods'
import { MXFP8, PRE_SCALE_HELPS, SCALES_MATTER, W4A4_HARD } from './rules-settings'
import { type Evidence, type Finding, type Judgement, undecided } from './verdict'

/** In the order of the paper's argument. */
export const FINDINGS: readonly Finding[] = [
  MXFP8,
  W4A4_HARD,
  ROTATION_HURTS,
  AFFINE_WINS,
  COMPENSATION_WINS,
  RTN_STRONG,
  SCALES_MATTER,
  PRE_SCALE_HELPS,
]

/** With fewer rows a verdict would be about those rows. */
const LEAST_ROWS = 16

/** A finding on a layer, whose facts are there with the first result. What the layer cannot tell is said before any number: too few rows, or rows that were fitted on. */
export function judgeFinding(finding: Finding, evidence: Evidence, layer: LayerFacts | null): Judgement {
  const judgement = finding.judge(evidence)
  if (judgement.verdict === 'pending' || layer === null) return judgement
  const { evaluationTokens, sameRows } = layer
  if (evaluationTokens < LEAST_ROWS) {
    return undecided(
      `${evaluationTokens} evaluation rows are too few; a verdict takes ${LEAST_ROWS}.`,
      judgement.values,
    )
  }
  if (finding.fitted && sameRows) {
    return undecided(
      'Errors are measured on the rows the methods were fitted to; hold rows out to judge this.',
      judgement.values,
    )
  }
  return judgement
}
