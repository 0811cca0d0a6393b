/** What stands in the place of a figure while there is none: why, and what leads on. */
import { awaitedFiles } from './link-restore'
import { METHOD_PRESETS } from './method-presets'
import { isAwaiting, savedOnScreen } from './saved-layer'
import { pageState, tiles } from './selectors'
import type { AppState } from './state'
import { learnedMethods, noTrainingText } from './unfinished'
import { type ViewId, viewById } from './views'
import type { Vocabulary } from './vocabulary'

/** `waiting`: for the user or a file; `working`: something goes on and nothing has to be done. */
export type PanelKind = 'empty' | 'waiting' | 'working' | 'failed'

/** What a panel can offer. Each is an action of the store or of the drop zone. */
export type NextStep =
  | { readonly kind: 'open-file' | 'choose-weight' | 'start-device' | 'run' | 'open-saved-layer' | 'synthetic-study' }
  | { readonly kind: 'built-in' | 'preset' | 'add-method'; readonly id: string; readonly label: string }

export interface PanelState {
  readonly kind: PanelKind
  readonly title: string
  readonly text: string
  readonly steps: readonly NextStep[]
}

type Vocab = Pick<Vocabulary, 'builtIns' | 'methods'>

/** Views that show something whether or not methods are chosen. */
const WITHOUT_METHODS: readonly ViewId[] = ['figure5', 'blocks', 'rotation', 'grid', 'findings']
/** Views that look into the layer itself, and so show nothing of results from a file. */
const LOOKS_INTO_LAYER: readonly ViewId[] = ['blocks', 'figure5']

/** Why the view on screen can show nothing at all; null where it can, or will without anybody doing something. */
export function blockedView(state: AppState, vocabulary: Vocab): PanelState | null {
  const { view } = state.view
  if (view === 'formats') return null
  const isStudy = view === 'rotation' && state.rotation.controls.part !== 'layer'
  const problem = isStudy ? null : sourceProblem(state, vocabulary)
  // The study needs no layer.
  if (problem !== null && view === 'rotation') {
    return { ...problem, steps: [...problem.steps, { kind: 'synthetic-study' }] }
  }
  return problem ?? deviceProblem(state) ?? methodProblem(state)
}

function sourceProblem(state: AppState, { builtIns }: Vocab): PanelState | null {
  const { source } = state
  const { view } = state.view
  // Numbers of an earlier run fill no view that computes its own.
  if (isAwaiting(state) || (source.pendingLink !== null && viewById(view).scope === 'custom'))
    return waitingForFile(state)
  if (savedOnScreen(state) !== null) {
    if (!LOOKS_INTO_LAYER.includes(view)) return null
    return {
      kind: 'empty',
      title: `The view ${viewById(view).label} looks into the layer itself, which is not open`,
      text: 'These are saved results: they hold figures and numbers, not the layer.',
      steps: [{ kind: 'open-saved-layer' }],
    }
  }
  const wantsNoWeight = view === 'figure5' && state.figure5.look.subject === 'tensor'
  if (source.weight !== null || source.restoring || isOpening(state)) return null
  if (source.files.length === 0 || source.active === null) {
    return {
      kind: 'empty',
      title: 'No layer is open',
      text: 'Drop a safetensors file or the folder of a model anywhere on the page, or look at a layer that ships with it.',
      steps: [
        { kind: 'open-file' },
        ...builtIns.slice(0, 1).map(({ id, label }) => ({ kind: 'built-in' as const, id, label })),
      ],
    }
  }
  if (wantsNoWeight) return null
  return {
    kind: 'empty',
    title: 'No weight is chosen',
    text: 'The open files hold several tensors. Choose a matrix in the list under Layer.',
    steps: [{ kind: 'choose-weight' }],
  }
}

function waitingForFile({ source }: AppState): PanelState {
  const names = awaitedFiles(source).map(({ name }) => name)
  return {
    kind: 'waiting',
    title: `Waiting for ${names.join(' and ')}`,
    text: 'The link was made with this file. Open it, and what the link shows is computed from it.',
    steps: [{ kind: 'open-file' }],
  }
}

const isOpening = (state: AppState) =>
  state.source.reading.length > 0 || state.source.remote.opening !== null || pageState(state) === 'boot'

/** A missing device hides only what was never computed. */
function deviceProblem(state: AppState): PanelState | null {
  const hasResults = savedOnScreen(state) !== null || Object.keys(state.run.results).length > 0
  return hasResults && state.view.view !== 'blocks' ? null : noDevice(state)
}

/** What to say where something has to be computed and there is nothing to compute it; null while there is. */
export function noDevice({ device }: AppState): PanelState | null {
  if (device.status !== 'unavailable' && device.status !== 'lost') return null
  const lost = device.status === 'lost'
  return {
    kind: 'failed',
    title: lost ? 'The browser took the GPU back' : 'Needs WebGPU',
    text: lost
      ? 'Start it again to go on.'
      : 'The note above says how to get it in this browser. The view Formats works without.',
    steps: [{ kind: 'start-device' }],
  }
}

function methodProblem({ setup, view }: AppState): PanelState | null {
  if (WITHOUT_METHODS.includes(view.view) || setup.methods.some(({ hidden }) => !hidden)) return null
  const [{ id, label }] = METHOD_PRESETS
  return {
    kind: 'empty',
    title: 'No method is chosen',
    text: 'Show one under Methods, or take a named choice.',
    steps: [{ kind: 'preset', id, label }],
  }
}

/** Of a view whose first result is not there yet. */
export function firstResult(state: AppState): PanelState {
  const { run, device } = state
  if (run.phase === 'idle' && run.end !== null) {
    const failed = run.end.kind === 'failed'
    return {
      kind: failed ? 'failed' : 'empty',
      title: 'Not computed',
      text: failed ? 'The run stopped before its first result.' : 'The run was cancelled before its first result.',
      steps: device.status === 'ready' ? [{ kind: 'run' }] : [{ kind: 'start-device' }],
    }
  }
  const failures = tiles(state).filter(({ status }) => status === 'failed').length
  const text = failures === 0 ? 'Figures appear here as results arrive.' : `So far ${failures} failed: see the table.`
  return { kind: 'working', title: 'Computing the first result', text, steps: [] }
}

/** Of the Training view without a curve. */
export function noTraining(state: AppState, vocabulary: Vocab): PanelState {
  const { chosen, plain } = learnedMethods(state, vocabulary)
  const text = noTrainingText(state, vocabulary)
  if (chosen.length === 0) {
    const steps = plain.slice(-1).map(({ id, label }) => ({ kind: 'add-method' as const, id, label }))
    return { kind: 'empty', title: 'No training to show', text, steps }
  }
  const idle = state.run.phase === 'idle'
  return {
    kind: idle ? 'empty' : 'working',
    title: idle ? 'No training to show' : 'Training has not begun',
    text,
    steps: idle && state.device.status === 'ready' ? [{ kind: 'run' }] : [],
  }
}
