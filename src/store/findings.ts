/** The paper's takeaways on the layer on screen: what they need computed, and whether it has been asked for. */
import { allNeeds, type Need, needChoices } from '../experiment/findings/needs'
import type { MethodOutcome } from '../experiment/result'
import type { StoreContext } from './context'
import { layerKey, outcomeKey } from './result-keys'
import type { AppState } from './state'
import type { Want } from './view-wants'
import { MAX_SEED } from './vocabulary'

/** Facts of the Findings view. */
export interface FindingsSlice {
  /** Key of the layer whose findings the user has asked to measure; null: of none. */
  readonly askedFor: string | null
}

export const DEFAULT_FINDINGS: FindingsSlice = { askedFor: null }

export interface FindingsActions {
  /** Measures what the findings need of the layer on screen and have not got. */
  measureFindings(): void
}

export function createFindingsActions({ get, patch, schedule }: StoreContext): FindingsActions {
  return {
    measureFindings: () => {
      patch('findings', { askedFor: layerKey(get()) })
      schedule()
    },
  }
}

/** What is measured for a need: with the method's defaults, under the paper's conditions, whatever the setup says. */
function wantOf({ setup }: AppState, need: Need): Want {
  return {
    setting: need.setting,
    method: { id: need.method, hidden: false, options: {} },
    mx: needChoices(need),
    seed: (setup.seed + need.seed) % (MAX_SEED + 1),
    analysed: need.analysed,
  }
}

/** The comparisons behind the findings, once they are asked for. */
export function findingsWants(state: AppState): readonly Want[] {
  const { askedFor } = state.findings
  return askedFor === null || askedFor !== layerKey(state) ? [] : allNeeds().map((need) => wantOf(state, need))
}

/** What was measured for `need` on the layer on screen; undefined while nothing is. */
export function evidenceOf(state: AppState, need: Need): MethodOutcome | undefined {
  const layer = layerKey(state)
  if (layer === null) return undefined
  const { setting, method, mx, seed, analysed } = wantOf(state, need)
  const outcome = state.run.results[outcomeKey(state, layer, setting, method, mx, seed)]
  return outcome?.kind === 'result' && analysed && outcome.scaleAnalysis === null ? undefined : outcome
}
