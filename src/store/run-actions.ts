/**
 * Computes what the page shows and does not have yet. One run at a time; a changed control replaces it, unless
 * everything the run still computes is wanted. Outcomes are kept by key, so going back is instant.
 */
import type { Proposal } from '../core/errors'
import type { Progress } from '../core/progress'
import type { MethodOutcome } from '../experiment/result'
import type { RunEnd, RunEvent } from '../worker/protocol'
import type { StoreContext } from './context'
import { hasOutcome, layerChoice, layerKey, outcomeKey } from './result-keys'
import type { AppState, CancelledRun, Learning, ShownOutcome } from './state'
import { jobsOf, nextRequest, type Wanted, wantedOutcomes } from './wanted'
import { without } from './without'

/** Outcomes kept in memory; a profile takes about 150 kB. */
const KEPT_RESULTS = 160

const AT_REST = { current: null, compiling: false, progress: null, learning: null } as const
export const IDLE = { ...AT_REST, phase: 'idle', runId: null, plan: [] } as const

export interface RunActions {
  /** Computes what is missing: after a cancelled or failed run, or at once after a changed control. */
  run(): void
  cancel(): void
  /** Forgets a failed outcome of the current setting and computes it again. */
  retry(method: string): void
  /** Does what an error proposes, and computes what is then missing. */
  accept(proposal: Proposal): void
}

export function createRunActions(context: StoreContext): RunActions {
  const { engine, environment, get, patch } = context
  const { settings, builtIns } = environment.vocabulary
  let runs = 0
  let stopped: string | null = null
  /** What the run that goes on was started for. */
  let jobs: readonly Wanted[] = []

  const stop = () => {
    stopped = get().run.runId
    if (stopped !== null) void engine.cancel(stopped)
  }

  const run = () => {
    const state = get()
    const { results, runId } = state.run
    patch('run', { shown: shownNow(state), phase: runId === null ? 'idle' : 'running' })
    const wanted = wantedOutcomes(state, settings)
    const lacking = wanted.filter((each) => !hasOutcome(results, each))
    if (lacking.length === 0) {
      stop()
      patch('run', { ...IDLE, end: null })
      return
    }
    if (state.device.status !== 'ready') return
    // A run goes on while all it still computes is wanted, as it computes it.
    const serves = jobs.every((job) => {
      const now = lacking.find(({ key }) => key === job.key)
      return now ? job.analysed || !now.analysed : hasOutcome(results, job)
    })
    if (runId !== null && runId !== stopped && serves) return
    stop()
    void start(state, lacking)
  }

  const start = async (state: AppState, lacking: readonly Wanted[]) => {
    const choice = layerChoice(state)
    if (!choice) return
    const request = nextRequest(state, lacking, builtIns)
    jobs = jobsOf(request, lacking)
    const own = jobs
    runs += 1
    const runId = `run-${runs}`
    const plan = own.map(({ key }) => key)
    const cancelled = without(get().run.cancelled, plan)
    patch('run', { ...AT_REST, phase: 'running', runId, plan, cancelled, memory: null, end: null })
    const onEvent = (event: RunEvent) => {
      if (get().run.runId === runId) receive(context, event, layerKey(state) ?? '', own)
    }
    const end = await engine.run(runId, choice, request, onEvent).catch(bug)
    if (get().run.runId !== runId) return
    const { results, cancelled: left } = get().run
    if (end.kind === 'cancelled') patch('run', { cancelled: { ...left, ...cancelledNow(get()) } })
    const silent = end.kind === 'done' && own.some((job) => !hasOutcome(results, job))
    patch('run', { ...IDLE, end: silent ? bug(new Error('The run ended without a result for every method.')) : end })
    if (end.kind === 'done' && !silent) run()
  }

  return {
    run,
    cancel: () => {
      if (get().run.runId === null) return
      patch('run', { phase: 'cancelling' })
      stop()
    },
    retry: (method) => {
      const failed = currentKey(get(), method)
      patch('run', { results: without(get().run.results, [failed]) })
      run()
    },
    accept: ({ tokens }) => {
      const { activations, synthetic } = get().source
      patch('source', activations.kind === 'captured' ? { tokens } : { synthetic: { ...synthetic, tokens } })
      context.schedule()
    },
  }
}

/** Takes in one event of the run whose jobs and layer are given. */
function receive({ get, patch }: StoreContext, event: RunEvent, layer: string, jobs: readonly Wanted[]): void {
  const { run } = get()
  const keyOf = (method: string, setting: string) =>
    jobs.find((job) => job.method.id === method && job.setting.id === setting)?.key
  if (event.kind === 'layer') {
    patch('run', { facts: { ...run.facts, [layer]: event.layer } })
  } else if (event.kind === 'plan') {
    patch('run', { memory: event.plan })
  } else if (event.kind === 'started') {
    const key = keyOf(event.method, event.setting)
    if (key) patch('run', { ...AT_REST, current: { method: event.method, setting: event.setting, key } })
  } else if (event.kind === 'compiling') {
    patch('run', { compiling: !event.done })
  } else if (event.kind === 'progress') {
    patch('run', { progress: event.progress, learning: learnt(run.learning, event.progress) })
  } else {
    const key = keyOf(event.outcome.method, event.outcome.setting)
    if (!key) return
    patch('run', { ...AT_REST, results: withOutcome(run.results, key, event.outcome) })
    patch('run', { shown: shownNow(get()) })
  }
}

/** The training after a report; a method that trains again begins a new curve. */
function learnt(before: Learning | null, { done, total, loss }: Progress): Learning | null {
  if (loss === undefined) return before
  return { losses: done === 0 || before === null ? [loss] : [...before.losses, loss], steps: total }
}

/** What is left of the method that was running, by its key; empty while the layer is being loaded. */
function cancelledNow({ run: { current, learning } }: AppState): Readonly<Record<string, CancelledRun>> {
  return current === null ? {} : { [current.key]: { method: current.method, setting: current.setting, learning } }
}

/** The results with one more, the oldest left out when there are too many. */
function withOutcome(
  results: Readonly<Record<string, MethodOutcome>>,
  key: string,
  outcome: MethodOutcome,
): Readonly<Record<string, MethodOutcome>> {
  const others = Object.entries(results).filter(([other]) => other !== key)
  return Object.fromEntries([...others.slice(1 - KEPT_RESULTS), [key, outcome]])
}

function bug(error: unknown): RunEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', error: { kind: 'bug', code: 'BUG', message } }
}

/** The key of a method's outcome under the current setting; '' without a layer. */
function currentKey(state: AppState, id: string): string {
  const layer = layerKey(state)
  const method = state.setup.methods.find((each) => each.id === id)
  return layer !== null && method ? outcomeKey(state, layer, state.setup.setting, method) : ''
}

/** Per method what is on screen: the outcome of the current setting where there is one, else what was shown before. */
function shownNow(state: AppState): Readonly<Record<string, ShownOutcome>> {
  const layer = layerKey(state)
  if (layer === null) return state.run.shown
  const shown = { ...state.run.shown }
  for (const method of state.setup.methods) {
    const key = outcomeKey(state, layer, state.setup.setting, method)
    const outcome = state.run.results[key]
    if (outcome) shown[method.id] = { key, layerKey: layer, outcome }
  }
  return shown
}
