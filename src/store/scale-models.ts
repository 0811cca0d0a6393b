/** What the Scales view shows: results that carry a scale analysis, and where the others stand. */
import type { MethodResult } from '../experiment/result'
import { methodLabel } from '../figures/describe'
import { hasOutcome, layerKey, outcomeKey } from './result-keys'
import { emptyReason } from './selectors'
import type { AppState } from './state'

/** One shown method. Stale: left from the previous setting. `text` stands where there is nothing to draw. */
export type ScaleModel =
  | { readonly method: string; readonly status: 'live' | 'stale'; readonly result: MethodResult }
  | { readonly method: string; readonly status: 'waiting' | 'running' | 'failed'; readonly text: string }

/** Shown methods in the order of their chips, under the current setting. */
export function scaleModels(state: AppState): readonly ScaleModel[] {
  const layer = layerKey(state)
  return state.setup.methods
    .filter(({ hidden }) => !hidden)
    .map((method): ScaleModel => {
      const key = layer === null ? '' : outcomeKey(state, layer, state.setup.setting, method)
      const outcome = hasOutcome(state.run.results, { key, analysed: true }) ? state.run.results[key] : null
      if (outcome?.kind === 'result') return { method: method.id, status: 'live', result: outcome }
      if (outcome)
        return { method: method.id, status: 'failed', text: `${outcome.error.code} ${outcome.error.message}` }
      const left = previousResult(state, method.id, layer)
      if (left) return { method: method.id, status: 'stale', result: left }
      const running = state.run.runId !== null && state.run.current?.key === key
      return { method: method.id, ...(running ? runningText(state) : waitingText(state)) }
    })
}

/** What was shown of this layer before, where it carries an analysis; nothing while a link waits for its file. */
function previousResult({ run, source }: AppState, method: string, layer: string | null): MethodResult | null {
  const shown = source.pendingLink === null ? run.shown[method] : undefined
  const outcome = shown?.layerKey === layer ? shown?.outcome : undefined
  return outcome?.kind === 'result' && outcome.scaleAnalysis !== null ? outcome : null
}

function runningText({ run }: AppState) {
  const { progress } = run
  const step = progress && progress.total > 1 ? `, ${progress.stage} ${progress.done} of ${progress.total}` : ''
  return { status: 'running' as const, text: `Computing${step}` }
}

function waitingText(state: AppState) {
  const { device, run } = state
  const reason =
    device.status === 'unavailable'
      ? 'Needs WebGPU'
      : run.runId === null && run.end !== null
        ? 'Not computed'
        : 'Waiting'
  return { status: 'waiting' as const, text: emptyReason(state) ?? reason }
}

/** The results of one status that can be drawn. */
export function analysedResults(models: readonly ScaleModel[], status: 'live' | 'stale'): readonly MethodResult[] {
  return models.flatMap((model) => (model.status === status && 'result' in model ? [model.result] : []))
}

/** "Measured so far: RTN, QuaRot." or "No method is measured yet." while methods are missing; null when all are there. */
export function missingText(models: readonly ScaleModel[]): string | null {
  const live = models.filter(({ status }) => status === 'live').map(({ method }) => methodLabel(method))
  if (live.length === models.length) return null
  return live.length === 0 ? 'No method is measured yet.' : `Measured so far: ${live.join(', ')}.`
}
