/** What the run does at the moment, in words. */
import { settingLabel } from '../experiment/setting-text'
import { methodStyle } from '../figures/method-style'
import { hasOutcome } from './result-keys'
import type { AppState } from './state'

/** Before the first method starts, and while none does; empty between one method and the next. */
export function preparationText({ run }: Pick<AppState, 'run'>): string {
  if (run.compiling) return 'Compiling kernels'
  // The plan comes when the layer is there.
  if (run.memory === null) return 'Loading the layer'
  return run.plan.some((key) => hasOutcome(run.results, { key, analysed: false })) ? '' : 'Computing reference outputs'
}

/** "FlatQuant under W4A4, step 40 of 120". */
export function runStepText(state: Pick<AppState, 'run'>): string {
  const { current, compiling, progress } = state.run
  if (!current) return preparationText(state)
  const step = progress && progress.total > 1 ? `, step ${progress.done} of ${progress.total}` : ''
  const phase = compiling ? ', compiling kernels' : step
  return `${methodStyle(current.method, 'light').label} under ${settingLabel(current.setting)}${phase}`
}
