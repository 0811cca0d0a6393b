/** Results opened from a file: figures and numbers without the weights. Nothing is computed on them. */
import { FileError, reportError } from '../core/errors'
import { looksLikeResults, type ResultsFile } from '../experiment/results/results-file'
import { parseFormat } from '../formats/format-text'
import type { StoreContext } from './context'
import { withBaseline } from './method-link'
import type { OpenActions } from './open-actions'
import { outcomeKey } from './result-keys'
import { SAVED, savedLayerKey, savedOnScreen } from './saved-layer'
import { readSweeps } from './saved-sweeps'
import type { SetupSlice } from './state'
import { readLink } from './url'
import { viewById } from './views'
import { DEFAULT_PRE_SCALE, type Vocabulary } from './vocabulary'

/** A file of results takes megabytes; one that is far larger is something else. */
const LARGEST_FILE = 256 * 2 ** 20
/** Enough to see how the text begins. */
const SNIFFED_BYTES = 128

/** Whether a file is results of this program, by how it begins. */
export async function isResultsFile(file: Blob): Promise<boolean> {
  return looksLikeResults(await file.slice(0, SNIFFED_BYTES).text())
}

export interface SavedActions {
  /** Opens what was dropped or picked: results are put on screen, everything else is a file of tensors. */
  openFiles(files: readonly File[]): Promise<void>
  /** Puts the results of a file on screen; one that cannot be read is said beside the drop zone, and nothing changes. */
  openResults(file: File): Promise<void>
  /**
   * Puts results of the comparison that a link waits for on screen. What the link says stands, and its file is still asked
   * for. Nothing changes once the link is not waited for any more.
   */
  openAwaited(file: File): Promise<void>
}

export function createSavedActions(context: StoreContext, { openFiles }: Pick<OpenActions, 'openFiles'>): SavedActions {
  const { environment, get, patch, schedule } = context
  const { vocabulary } = environment
  let opened = 0

  const take = (fileName: string, results: ResultsFile) => {
    const { version, adapter, files, weight, link: fragment } = results
    const { link } = readLink(fragment, vocabulary)
    opened += 1
    patch('saved', { results: { id: opened, fileName, version, adapter, files, weight, link, fragment } })
  }

  const show = (fileName: string, results: ResultsFile) => {
    take(fileName, results)
    const { heldOutShare } = results.choices
    const notes = unknownMethods(results, vocabulary)
    const activations = { kind: 'synthetic' } as const
    patch('source', { active: SAVED, weight: null, activations, pendingLink: null, heldOutShare, notes })
    patch('setup', setupOf(results, vocabulary))
    if (viewById(get().view.view).scope === 'custom') patch('view', { view: 'distribution' })
    keep(context, results)
    schedule()
  }

  const read = async (file: File) => {
    if (file.size > LARGEST_FILE) {
      const found = file.size.toLocaleString('en-US')
      throw new FileError('RF-01', `${file.name}: expected at most 268,435,456 bytes of results, found ${found}.`)
    }
    const { readResults } = await import('../experiment/results/read-results')
    const results = readResults(file.name, await file.text())
    checkFormats(file.name, results)
    return results
  }

  const openResults = async (file: File) => {
    patch('source', { problems: [], notes: [] })
    try {
      show(file.name, await read(file))
    } catch (error) {
      const { problems } = get().source
      patch('source', { problems: [...problems, { name: file.name, error: reportError(error) }] })
    }
  }

  const openAwaited = async (file: File) => {
    const { pendingLink } = get().source
    const results = await read(file)
    const { source } = get()
    if (pendingLink === null || source.pendingLink !== pendingLink || source.active !== null) return
    take(file.name, results)
    patch('source', { active: SAVED })
    keep(context, results)
    schedule()
  }

  return {
    openResults,
    openAwaited,
    openFiles: async (files) => {
      const isResults = await Promise.all(files.map((file) => isResultsFile(file).catch(() => false)))
      const tensors = files.filter((_, at) => !isResults[at])
      if (tensors.length > 0) await openFiles(tensors)
      for (const file of files.filter((_, at) => isResults[at])) await openResults(file)
    },
  }
}

/** Throws FileError RF-03 for a number format that does not exist here. */
function checkFormats(fileName: string, { setting, outcomes }: ResultsFile): void {
  for (const { weightFormat, activationFormat, outputFormat } of [setting, ...outcomes]) {
    for (const text of [weightFormat, activationFormat, outputFormat]) {
      if (text === null) continue
      try {
        parseFormat(text)
      } catch (cause) {
        throw new FileError('RF-03', `${fileName}: ${cause instanceof Error ? cause.message : text}`, { cause })
      }
    }
  }
}

/** RF-04 where the file has methods that this version does not. */
function unknownMethods({ methods }: ResultsFile, vocabulary: Vocabulary) {
  const unknown = methods.filter(({ id }) => !vocabulary.methods.some((entry) => entry.id === id)).map(({ id }) => id)
  if (unknown.length === 0) return []
  const message = `These results hold methods that this version does not know: ${unknown.join(', ')}. They are left out.`
  return [{ code: 'RF-04', message }]
}

function setupOf({ choices, setting, methods }: ResultsFile, vocabulary: Vocabulary): SetupSlice {
  const { scaleRule, rounding, preScale, blockSize, headDim, seed } = choices
  const known = methods.filter(({ id }) => vocabulary.methods.some((entry) => entry.id === id))
  return {
    setting,
    scaleRule,
    rounding,
    preScale: preScale === null ? { ...DEFAULT_PRE_SCALE, on: false } : { on: true, ...preScale },
    blockSize,
    headDim,
    seed,
    methods: withBaseline(known),
  }
}

/** Puts the file's outcomes where the page looks for those of its layer. */
function keep({ environment, get, patch }: StoreContext, { layer, outcomes, sweeps }: ResultsFile): void {
  const state = get()
  const saved = savedOnScreen(state)
  if (saved === null) return
  const key = savedLayerKey(saved)
  const entries = outcomes.flatMap((outcome) => {
    const method = state.setup.methods.find(({ id }) => id === outcome.method)
    const { setting: id, weightFormat, activationFormat, outputFormat } = outcome
    const setting = { id, weightFormat, activationFormat, outputFormat }
    return method ? [[outcomeKey(state, key, setting, method), outcome] as const] : []
  })
  const { results, facts } = state.run
  patch('run', {
    results: { ...results, ...Object.fromEntries(entries) },
    facts: { ...facts, [key]: layer },
    shown: {},
    end: null,
  })
  patch('sweeps', { series: readSweeps(get(), sweeps, environment.vocabulary) })
}
