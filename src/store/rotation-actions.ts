/**
 * Computes what the Rotation view shows: the study of the synthetic layer by itself as soon as the comparison has ended,
 * and the causes on the loaded layer. What was computed is kept, so that going back is instant.
 */
import type { OutlierPoint, OutlierStudyRequest } from '../experiment/outlier-study'
import type { RunEnd } from '../worker/protocol'
import type { StoreContext } from './context'
import { kept } from './kept'
import { type CausesActions, createCausesActions } from './rotation-causes-actions'
import { lackingStudy, type RotationControls, type WantedStudy, wantedStudy, withPoint } from './rotation-view'
import type { AppState } from './state'

/** Studies kept; the points of one take about 20 kB. */
const KEPT_STUDIES = 60

export interface RotationActions extends CausesActions {
  setRotation(change: Partial<RotationControls>): void
  /** Computes what the study lacks after it was cancelled or failed; points that failed are computed again. */
  runStudy(): void
  cancelStudy(): void
  /** Starts or stops the study, after anything has changed. */
  advanceStudy(): void
}

const AT_REST = { phase: 'idle', runId: null, current: null, progress: null } as const

function bug(error: unknown): RunEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', error: { kind: 'bug', code: 'BUG', message } }
}

/** The comparison has nothing more to do. */
const isFree = ({ device, source, run }: AppState) =>
  device.status === 'ready' && !source.restoring && run.phase === 'idle'

export function createRotationActions(context: StoreContext): RotationActions {
  const { patch, get } = context
  return {
    setRotation: (change) => patch('rotation', { controls: { ...get().rotation.controls, ...change } }),
    ...createStudyActions(context),
    ...createCausesActions(context),
  }
}

function createStudyActions(context: StoreContext) {
  const { engine, environment, get, patch } = context
  const { vocabulary } = environment
  let runs = 0
  let due: { readonly job: string; readonly timer: ReturnType<typeof setTimeout> } | null = null

  const pointsOf = (key: string): readonly OutlierPoint[] => get().rotation.points[key] ?? []
  const keep = (key: string, points: readonly OutlierPoint[]) =>
    patch('rotation', { shown: key, points: kept(get().rotation.points, key, points, KEPT_STUDIES) })

  /** What is left to be computed; null while nothing is, or nobody may begin it. */
  const nextJob = (): { readonly wanted: WantedStudy; readonly request: OutlierStudyRequest } | null => {
    const state = get()
    const { stopped, controls } = state.rotation
    const wanted = wantedStudy(state, vocabulary)
    if (wanted === null || state.device.status !== 'ready' || stopped?.job === wanted.job) return null
    const request = lackingStudy(wanted, pointsOf(wanted.key), controls.strength)
    return request && { wanted, request }
  }

  const advanceStudy = () => {
    const { rotation } = get()
    const wanted = wantedStudy(get(), vocabulary)
    if (rotation.phase === 'running' && rotation.current !== (wanted?.job ?? null)) {
      // The controls or the view are others now; what is computed stays.
      if (rotation.runId !== null) void engine.cancel(rotation.runId)
      patch('rotation', AT_REST)
      return
    }
    if (wanted !== null && rotation.shown !== wanted.key && pointsOf(wanted.key).length > 0) {
      patch('rotation', { shown: wanted.key })
      return
    }
    if (rotation.phase === 'running' || rotation.phase === 'cancelling') return
    const job = nextJob()
    const phase = job === null ? 'idle' : 'waiting'
    if (rotation.phase !== phase) {
      patch('rotation', { phase })
      return
    }
    const ready = isFree(get()) ? job : null
    if (due !== null && due.job !== ready?.wanted.job) {
      clearTimeout(due.timer)
      due = null
    }
    if (ready === null || due !== null) return
    const begin = () => {
      due = null
      const now = nextJob()
      if (now) void start(now.wanted, now.request)
    }
    due = { job: ready.wanted.job, timer: setTimeout(begin, environment.debounceMs) }
  }

  const start = async ({ key, job }: WantedStudy, request: OutlierStudyRequest) => {
    runs += 1
    const runId = `study-${runs}`
    patch('rotation', { phase: 'running', runId, current: job, progress: null, stopped: null })
    const end = await engine
      .runOutlierStudy(runId, request, (event) => {
        if (event.kind === 'point') keep(key, withPoint(pointsOf(key), event.point))
        else if (get().rotation.runId === runId) patch('rotation', { progress: event.progress })
      })
      .catch(bug)
    const { rotation } = get()
    if (rotation.runId !== runId) return
    const lacking = lackingStudy({ key, job, request }, pointsOf(key), 1) !== null
    const cancelled = end.kind === 'cancelled' && rotation.phase === 'cancelling'
    const said = end.kind === 'done' && lacking ? bug(new Error('The study ended without all of its points.')) : end
    patch('rotation', { ...AT_REST, stopped: cancelled || said.kind === 'failed' ? { job, end: said } : null })
  }

  return {
    advanceStudy,
    runStudy: () => {
      const wanted = wantedStudy(get(), vocabulary)
      if (wanted === null) return
      const whole = pointsOf(wanted.key).filter(({ error }) => error === null)
      if (whole.length < pointsOf(wanted.key).length) keep(wanted.key, whole)
      // The change itself makes the study advance.
      patch('rotation', { stopped: null })
    },
    cancelStudy: () => {
      const { phase, runId } = get().rotation
      const wanted = wantedStudy(get(), vocabulary)
      if (phase === 'waiting' && wanted) patch('rotation', { stopped: { job: wanted.job, end: { kind: 'cancelled' } } })
      if (runId === null) return
      patch('rotation', { phase: 'cancelling' })
      void engine.cancel(runId)
    },
  }
}
