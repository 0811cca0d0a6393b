/** What explains the page: the list of shortcuts, and the steps through the built-in layer. Its texts come when they are asked for. */
import type { StoreContext } from './context'
import type { LinkActions } from './link-actions'
import type { AppState } from './state'

/** The glossary without an entry, as the link key `help` writes it. */
export const GLOSSARY = 'index'

/** Slices that a step of the tour changes. */
type Before = Pick<
  AppState,
  'source' | 'setup' | 'view' | 'blocks' | 'formats' | 'rotation' | 'figure5' | 'sweeps' | 'highlight' | 'saved'
>

export interface GuideSlice {
  /** Whether the list of shortcuts is open. */
  readonly shortcuts: boolean
  /** Whether single letters and digits are shortcuts. */
  readonly singleKeys: boolean
  /** Whether the tour is offered under the answer: until it was taken or declined on this device. */
  readonly offersTour: boolean
  /** The step on screen, counted from 0, and what was there before the first; null outside the tour. */
  readonly tour: { readonly step: number; readonly before: Before } | null
}

export const DEFAULT_GUIDE: GuideSlice = { shortcuts: false, singleKeys: true, offersTour: false, tour: null }

/** Keys on the device, and what they say. */
const TOUR = 'tour'
const SINGLE_KEYS = 'single-keys'
const OFF = 'off'

export interface GuideActions {
  /** Opens the glossary at an entry, or at its beginning (GLOSSARY); null closes it. */
  showHelp(entry: string | null): void
  showShortcuts(open: boolean): void
  setSingleKeys(on: boolean): void
  startTour(): void
  /** Says which step is on screen and puts its state there. */
  showTourStep(step: number, fragment: string): Promise<void>
  /** Back to what was on screen before the tour. */
  leaveTour(): void
  /** The tour is not offered again on this device. */
  declineTour(): void
}

export function createGuideActions(
  { get, patch, schedule, environment }: StoreContext,
  { applyLink }: LinkActions,
): GuideActions {
  const { memory } = environment
  const decline = (why: 'done' | 'dismissed') => {
    memory?.write(TOUR, why)
    patch('guide', { offersTour: false })
  }
  return {
    showHelp: (help) => patch('view', { help }),
    showShortcuts: (shortcuts) => patch('guide', { shortcuts }),
    setSingleKeys: (singleKeys) => {
      memory?.write(SINGLE_KEYS, singleKeys ? 'on' : OFF)
      patch('guide', { singleKeys })
    },
    startTour: () => {
      if (get().guide.tour !== null) return
      const { source, setup, view, blocks, formats, rotation, figure5, sweeps, highlight, saved } = get()
      const before = { source, setup, view, blocks, formats, rotation, figure5, sweeps, highlight, saved }
      // A phone shows the figures, and no drawer covers them.
      patch('view', { help: null, pane: 'figures', railOpen: false })
      patch('guide', { tour: { step: 0, before }, shortcuts: false })
      decline('done')
    },
    showTourStep: async (step, fragment) => {
      const { tour } = get().guide
      if (tour === null) return
      patch('guide', { tour: { ...tour, step } })
      await applyLink(fragment)
    },
    leaveTour: () => {
      const { tour } = get().guide
      if (tour === null) return
      patch('guide', { tour: null })
      restore({ get, patch, schedule }, tour.before)
    },
    declineTour: () => decline('dismissed'),
  }
}

/** The slice as a visit begins with it. */
export function initialGuide({ memory }: StoreContext['environment']): GuideSlice {
  if (!memory) return DEFAULT_GUIDE
  const singleKeys = memory.read(SINGLE_KEYS) !== OFF
  return { ...DEFAULT_GUIDE, singleKeys, offersTour: memory.read(TOUR) === null }
}

/** Files opened meanwhile stay open, what was computed meanwhile stays computed; the address is replaced, not added to. */
function restore({ get, patch, schedule }: Pick<StoreContext, 'get' | 'patch' | 'schedule'>, before: Before): void {
  const { files, reading, details, kept } = get().source
  const isOpen = (id: string) => files.some((file) => file.id === id)
  patch('source', { restoring: true })
  patch('setup', before.setup)
  patch('blocks', before.blocks)
  patch('formats', before.formats)
  patch('rotation', { controls: before.rotation.controls })
  patch('figure5', { look: before.figure5.look })
  patch('sweeps', { parameter: before.sweeps.parameter })
  patch('highlight', before.highlight)
  patch('saved', before.saved)
  patch('view', { ...before.view, help: null, theme: get().view.theme })
  const { weight } = before.source
  // A file that was closed during the tour cannot come back; the layer on screen then stays.
  const source = weight === null || isOpen(weight.fileId) ? before.source : get().source
  patch('source', { ...source, files, reading, details, kept, restoring: false })
  schedule()
}
