/** Results opened from a file: figures and numbers without the weights. Nothing is computed on them. */
import { FileError, reportError } from '../core/errors'
import { looksLikeResults, type ResultsFile } from '../experiment/results/results-file'
import { parseFormat } from '../formats/format-text'
import type { StoreContext } from './context'
import type { OpenActions } from './open-actions'
import { outcomeKey } from './result-keys'
import { SAVED, savedLayerKey, savedOnScreen } from './saved-layer'
import { readSweeps } from './saved-sweeps'
import type { MethodSetup, SetupSlice } from './state'
import { readLink } from './url'
import { viewById } from './views'
import { BASELINE, DEFAULT_PRE_SCALE, type Vocabulary } from './vocabulary'

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
}

export function createSavedActions(context: StoreContext, { openFiles }: Pick<OpenActions, 'openFiles'>): SavedActions {
  const { environment, get, patch, schedule } = context
  const { vocabulary } = environment
  let opened = 0

  const show = (fileName: string, results: ResultsFile) => {
    const { version, adapter, files, weight, link: fragment } = results
    const { link } = readLink(fragment, vocabulary)
    opened += 1
    patch('saved', { results: { id: opened, fileName, version, adapter, files, weight, link, fragment } })
    const { heldOutShare } = results.choices
    const notes = unknownMethods(results, vocabulary)
    const activations = { kind: 'synthetic' } as const
    patch('source', { active: SAVED, weight: null, activations, pendingLink: null, heldOutShare, notes })
    patch('setup', setupOf(results, vocabulary))
    if (viewById(get().view.view).scope === 'custom') patch('view', { view: 'distribution' })
    keep(context, results)
    schedule()
  }

  const openResults = async (file: File) => {
    patch('source', { problems: [], notes: [] })
    try {
      if (file.size > LARGEST_FILE) {
        const found = file.size.toLocaleString('en-US')
        throw new FileError('RF-01', `${file.name}: expected at most 268,435,456 bytes of results, found ${found}.`)
      }
      const { readResults } = await import('../experiment/results/read-results')
      const results = readResults(file.name, await file.text())
      checkFormats(file.name, results)
      show(file.name, results)
    } catch (error) {
      const { problems } = get().source
      patch('source', { problems: [...problems, { name: file.name, error: reportError(error) }] })
    }
  }

  return {
    openResults,
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
  const known = vocabulary.methods.flatMap(({ id }): MethodSetup[] => {
    const saved = methods.find((method) => method.id === id)
    if (saved) return [saved]
    return id === BASELINE ? [{ id, hidden: true, options: {} }] : []
  })
  return {
    setting,
    scaleRule,
    rounding,
    preScale: preScale === null ? { ...DEFAULT_PRE_SCALE, on: false } : { on: true, ...preScale },
    blockSize,
    headDim,
    seed,
    methods: known,
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
