/**
 * Computes sweeps, one method after the other. A comparison comes first: it ends the sweep's run, and the sweep goes on
 * where it was once the comparison has ended, unless layer or setting have changed.
 */

import type { SweepPoint } from '../experiment/result'
import type { RunEnd } from '../worker/protocol'
import type { StoreContext } from './context'
import { mxChoices } from './mx-choices'
import { askedHeadDim, layerChoice } from './result-keys'
import { layerFacts } from './selectors'
import type { AppState } from './state'
import { lackingValues, type SweepSeries, shownParameter, type WantedSeries, wantedSeries } from './sweeps'

export interface SweepActions {
  setSweepParameter(key: string): void
  /** Computes what the parameter on screen lacks, values that failed included. */
  runSweep(): void
  cancelSweep(): void
  /** Starts, resumes or stops what waits or runs, after anything has changed. */
  advanceSweep(): void
}

const AT_REST = { runId: null, current: null } as const

function bug(error: unknown): RunEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', error: { kind: 'bug', code: 'BUG', message } }
}

/** The comparison has what it needs and nothing more to do. */
function isFree({ device, source, run }: AppState): boolean {
  return device.status === 'ready' && !source.restoring && source.pendingLink === null && run.phase === 'idle'
}

export function createSweepActions(context: StoreContext): SweepActions {
  const { engine, environment, get, patch } = context
  const { vocabulary } = environment
  let runs = 0

  /** Asked for and still on screen. */
  const wantedNow = (): readonly WantedSeries[] => {
    const { asked } = get().sweeps
    return wantedSeries(get(), asked.parameter, vocabulary).filter(({ key }) => asked.keys?.includes(key))
  }
  const pointsOf = (key: string): readonly SweepPoint[] => {
    const { series, asked } = get().sweeps
    return series[asked.parameter]?.find((each) => each.key === key)?.points ?? []
  }
  const nextJob = () =>
    wantedNow()
      .map((wanted) => ({ wanted, values: lackingValues(wanted.values, pointsOf(wanted.key)) }))
      .find(({ values }) => values.length > 0)

  const advanceSweep = () => {
    const { sweeps } = get()
    if (sweeps.phase === 'running' && !wantedNow().some(({ key }) => key === sweeps.current)) {
      // Layer, setting or methods are others now; what is computed stays.
      if (sweeps.runId !== null) void engine.cancel(sweeps.runId)
      patch('sweeps', { ...AT_REST, phase: 'waiting' })
      return
    }
    if (sweeps.phase !== 'waiting' || !isFree(get())) return
    const { end } = get().run
    if (layerFacts(get()) === null) {
      // Without a layer there is nothing to wait for once the comparison has given up.
      if (end !== null) patch('sweeps', { phase: 'idle', end })
      return
    }
    if (sweeps.asked.keys === null) {
      begin(sweeps.asked.parameter)
      return
    }
    const job = nextJob()
    if (job) void start(job.wanted, job.values)
    else patch('sweeps', { phase: 'idle', end: { kind: 'done' } })
  }

  /** Settles what is asked for, now that the layer is known. */
  const begin = (parameter: string) => {
    const wanted = wantedSeries(get(), parameter, vocabulary)
    const { series } = get().sweeps
    patch('sweeps', {
      asked: { parameter, keys: wanted.map(({ key }) => key) },
      series: { ...series, [parameter]: begun(wanted, series[parameter] ?? []) },
    })
  }

  const start = async ({ key, setup }: WantedSeries, values: readonly number[]) => {
    const state = get()
    const choice = layerChoice(state)
    if (!choice) return
    const { parameter } = state.sweeps.asked
    const { id, options } = setup
    runs += 1
    const runId = `sweep-${runs}`
    patch('sweeps', { phase: 'running', runId, current: key })
    const request = {
      ...mxChoices(state.setup),
      setting: state.setup.setting,
      method: { id, options },
      parameter,
      values,
      seed: state.setup.seed,
      headDim: askedHeadDim(state, vocabulary.builtIns),
    }
    const end = await engine
      .runSweep(runId, choice, request, (event) => {
        if (event.kind === 'point') keepPoint(context, parameter, key, event.point)
      })
      .catch(bug)
    if (get().sweeps.runId !== runId) return
    const silent = end.kind === 'done' && lackingValues(values, pointsOf(key)).length > 0
    const cancelled = end.kind === 'cancelled' && get().sweeps.phase === 'cancelling'
    if (silent || cancelled || end.kind === 'failed') {
      const said = silent ? bug(new Error('The sweep ended without a point for every value.')) : end
      patch('sweeps', { ...AT_REST, phase: 'idle', end: said })
    } else {
      patch('sweeps', { ...AT_REST, phase: 'waiting' })
    }
  }

  return {
    setSweepParameter: (parameter) => patch('sweeps', { parameter }),
    runSweep: () => {
      const state = get()
      const { parameter: chosen, runId } = state.sweeps
      const parameter = chosen ?? shownParameter(state)?.key
      if (parameter === undefined) return
      if (runId !== null) void engine.cancel(runId)
      // The change itself makes the sweep advance.
      patch('sweeps', { ...AT_REST, parameter, phase: 'waiting', asked: { parameter, keys: null }, end: null })
    },
    cancelSweep: () => {
      const { phase, runId } = get().sweeps
      if (phase === 'waiting') patch('sweeps', { phase: 'idle', end: { kind: 'cancelled' } })
      if (runId === null) return
      patch('sweeps', { phase: 'cancelling' })
      void engine.cancel(runId)
    },
    advanceSweep,
  }
}

/** The series to be filled: what is known of each stays, without the values that failed. */
function begun(wanted: readonly WantedSeries[], kept: readonly SweepSeries[]): readonly SweepSeries[] {
  return wanted.map(({ setup: _, ...series }) => {
    const points = kept.find(({ key }) => key === series.key)?.points ?? []
    return { ...series, points: points.filter(({ error }) => error === null) }
  })
}

function keepPoint({ get, patch }: StoreContext, parameter: string, key: string, point: SweepPoint): void {
  const { series } = get().sweeps
  const withPoint = (each: SweepSeries): SweepSeries =>
    each.key === key ? { ...each, points: [...each.points, point].sort((a, b) => a.value - b.value) } : each
  patch('sweeps', { series: { ...series, [parameter]: (series[parameter] ?? []).map(withPoint) } })
}
