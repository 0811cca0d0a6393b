/** What the page gives away, as data and text: made from the state when the dialog asks. Loaded with the dialog. */
import { csvText } from '../core/csv'
import { completeOptions, type OptionValues } from '../core/options'
import { VERSION, VERSION_TEXT } from '../core/version'
import type { LayerFacts, MethodOutcome, MethodResult } from '../experiment/result'
import { OUTCOME_COLUMNS, outcomeCells } from '../experiment/results/outcome-columns'
import type { FileFingerprint, ResultsFile } from '../experiment/results/results-file'
import { settingLabel } from '../experiment/setting-text'
import { methodLabel } from '../figures/describe'
import { fileName } from '../figures/export/file-name'
import type { Report, ReportMethod, ReportTable } from '../figures/export/report'
import { answerText, conditionLines, layerName } from './answer-text'
import { findingsTable } from './findings-text'
import { fragmentOf, linkOf } from './link-actions'
import { mxChoices } from './mx-choices'
import { layerKey, outcomeKey } from './result-keys'
import { rowSplit } from './row-range'
import { savedOnScreen } from './saved-layer'
import { writtenSweeps } from './saved-sweeps'
import {
  adapterName,
  baselineResult,
  type LayerTitle,
  layerFacts,
  layerTitle,
  resultsOf,
  type TileModel,
  tiles,
} from './selectors'
import type { AppState, MethodSetup } from './state'
import { shownColumns } from './table-look'
import { cellText, columnHeading, tableBaseline } from './table-rows'
import type { Vocabulary } from './vocabulary'

/** Name of a file about this comparison: layer, setting, then what it holds. */
export function exportName(
  state: AppState,
  vocabulary: Vocabulary,
  parts: readonly string[],
  extension: string,
): string {
  const title = layerTitle(state, vocabulary)
  return fileName([title?.weight ?? 'layer', state.setup.setting.id, ...parts], extension)
}

/** Methods whose result stands on the current setting: those that can be exported. */
export function liveMethods(state: AppState): readonly MethodSetup[] {
  return tiles(state).flatMap(({ method, status }) => (status === 'live' ? [method] : []))
}

/**
 * The method the dialog opens on, of `liveMethods`: the one pinned, else the one pointed at, else the one of the largest
 * output SQNR, of level ones the last. Null where no method has a result.
 */
export function preferredMethod(state: AppState): string | null {
  const results = resultsOf(tiles(state), 'live')
  const { pinnedMethod, pointedMethod } = state.highlight
  const lit = [pinnedMethod, pointedMethod].find((id) => results.some(({ method }) => method === id))
  const sqnr = ({ evaluation: { outputSqnrDb } }: MethodResult) =>
    Number.isNaN(outputSqnrDb) ? Number.NEGATIVE_INFINITY : outputSqnrDb
  const best = results.reduce<MethodResult | null>(
    (most, result) => (most === null || sqnr(result) >= sqnr(most) ? result : most),
    null,
  )
  return lit ?? best?.method ?? null
}

const liveOutcome = ({ status, outcome }: TileModel) => (status === 'live' || status === 'failed' ? outcome : null)

const optionsText = (options: OptionValues) =>
  Object.entries(options)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

/** The adapter that the results on screen were computed on. */
export function measuredOn(state: AppState): string {
  const saved = savedOnScreen(state)
  return saved ? (saved.adapter?.description ?? 'not recorded') : (adapterName(state) ?? 'none')
}

/** Program and adapter of the results on screen, as a line below figures. */
export function computedBy(state: AppState): string {
  const saved = savedOnScreen(state)
  return `MXScope ${saved ? saved.version : VERSION_TEXT} on ${measuredOn(state)}`
}

/** What every line of the table was computed on, and by which program. */
function tableContext(state: AppState, title: LayerTitle, layer: LayerFacts) {
  const saved = savedOnScreen(state)
  const { activations, calibrationTokens, evaluationTokens, sameRows } = layer
  const tensor = saved ? saved.weight.tensor : (state.source.weight?.tensor ?? title.weight)
  return {
    version: saved ? saved.version : VERSION,
    adapter: measuredOn(state),
    files: fingerprints(state)
      .map(({ name }) => name)
      .join(' '),
    weight: tensor,
    activations: activations.kind === 'captured' ? activations.tensor : activations.description,
    firstToken: saved ? saved.link.firstToken : (rowSplit(state)?.start ?? null),
    calibrationTokens,
    evaluationTokens,
    sameRows: String(sameRows),
    heldOutShare: state.source.heldOutShare,
  }
}

/** Output SQNR minus that of RTN, not rounded; null where one does not exist or is exact. */
function aboveBaseline(outcome: MethodOutcome, baseline: MethodResult | null): number | null {
  if (outcome.kind === 'failure' || baseline === null) return null
  const difference = outcome.evaluation.outputSqnrDb - baseline.evaluation.outputSqnrDb
  return Number.isFinite(difference) ? difference : null
}

/**
 * A line per method, numbers in full precision: the columns of the compare command between what the layer is and what
 * only the page shows. Empty before there is a layer.
 */
export function tableCsv(state: AppState, vocabulary: Pick<Vocabulary, 'builtIns'>): string {
  const layer = layerFacts(state)
  const title = layerTitle(state, vocabulary)
  if (!layer || !title) return ''
  const context = tableContext(state, title, layer)
  const baseline = baselineResult(state)
  const lines = tiles(state).flatMap((model) => {
    const outcome = liveOutcome(model)
    if (outcome === null) return []
    const profile = outcome.kind === 'result' ? outcome.profile : null
    const shown = [aboveBaseline(outcome, baseline), profile?.maxAbsolute ?? null, profile?.kurtosis ?? null]
    return [[...Object.values(context), ...outcomeCells(outcome), ...shown]]
  })
  return csvText([[...Object.keys(context), ...OUTCOME_COLUMNS, 'deltaRtnDb', 'maxAbsolute', 'kurtosis'], ...lines])
}

/** The same as the page shows it, in its columns, methods by name. */
function tableShown(state: AppState): ReportTable {
  const columns = shownColumns(state)
  const baseline = tableBaseline(state)
  const rows = tiles(state).flatMap((model) => {
    const outcome = liveOutcome(model)
    if (outcome === null) return []
    if (outcome.kind === 'failure')
      return [[methodLabel(outcome.method), `${outcome.error.code} ${outcome.error.message}`]]
    const cells = columns.map((column) => cellText(column, outcome, baseline.result))
    return [[methodLabel(outcome.method), ...cells]]
  })
  return { columns: ['Method', ...columns.map((column) => columnHeading(column, baseline.method))], rows }
}

/** Every outcome of the layer under the choices on screen, the setting on screen first. */
function outcomesOnHand(state: AppState, { settings }: Vocabulary): readonly MethodOutcome[] {
  const layer = layerKey(state)
  if (layer === null) return []
  const { setting, methods } = state.setup
  const all = [setting, ...settings.filter(({ id }) => id !== setting.id)]
  return all.flatMap((each) =>
    methods.flatMap((method) => {
      const outcome = state.run.results[outcomeKey(state, layer, each, method)]
      return outcome ? [outcome] : []
    }),
  )
}

/** The files a link to this state names: those of a checkpoint one by one. */
function fingerprints(state: AppState): readonly FileFingerprint[] {
  const saved = savedOnScreen(state)
  if (saved !== null) return saved.files
  return linkOf(state).sources.flatMap((source): FileFingerprint[] => {
    if (source.kind === 'file') {
      const { name, byteLength, headerHash } = source
      return [{ name, byteLength, headerHash, builtIn: null }]
    }
    return state.source.files
      .filter(({ builtIn }) => builtIn === source.id)
      .map(({ name, byteLength, headerHash, builtIn }) => ({ name, byteLength, headerHash, builtIn }))
  })
}

/** The document of results.json; null before there is a result. */
export function resultsDocument(state: AppState, vocabulary: Vocabulary): Omit<ResultsFile, 'version'> | null {
  const layer = layerFacts(state)
  const title = layerTitle(state, vocabulary)
  const outcomes = outcomesOnHand(state, vocabulary)
  if (!layer || !title || outcomes.length === 0) return null
  const saved = savedOnScreen(state)
  const { setup, source, device } = state
  const adapter = saved ? saved.adapter : device.adapter
  const tensor = saved ? saved.weight.tensor : (source.weight?.tensor ?? title.weight)
  return {
    adapter: adapter && {
      vendor: adapter.vendor,
      architecture: adapter.architecture,
      description: adapter.description,
      isSoftware: adapter.isSoftware,
    },
    files: fingerprints(state),
    weight: { title: title.file, tensor, shape: title.shape, dtype: title.dtype },
    layer,
    choices: { ...mxChoices(setup), seed: setup.seed, headDim: setup.headDim, heldOutShare: source.heldOutShare },
    setting: setup.setting,
    methods: setup.methods,
    outcomes,
    sweeps: writtenSweeps(state, vocabulary),
    link: fragmentOf(state, vocabulary),
  }
}

function reportMethods(state: AppState, { methods }: Vocabulary): readonly ReportMethod[] {
  return tiles(state).flatMap((model) => {
    const outcome = liveOutcome(model)
    const entry = methods.find(({ id }) => id === model.method.id)
    if (outcome === null || !entry) return []
    const options = completeOptions({ id: entry.id, code: 'MD-03' }, entry.options, model.method.options)
    return [
      {
        name: entry.label,
        summary: entry.summary,
        source: entry.source,
        options: optionsText(options),
        notes: outcome.kind === 'result' ? outcome.notes : [`${outcome.error.code} ${outcome.error.message}`],
      },
    ]
  })
}

/** The report without its figures. `address`: of the page, without a fragment. */
export function reportContent(state: AppState, vocabulary: Vocabulary, address: string): Omit<Report, 'figures'> {
  const saved = savedOnScreen(state)
  const files = fingerprints(state).map(
    ({ name, byteLength, headerHash }) =>
      `${name}, ${byteLength.toLocaleString('en-US')} bytes${headerHash === '' ? '' : `, header ${headerHash}`}`,
  )
  const fragment = saved ? saved.fragment : fragmentOf(state, vocabulary)
  const { setting, seed } = state.setup
  return {
    title: `${layerName(state, vocabulary) ?? 'Layer'}, ${settingLabel(setting.id)}`,
    answer: answerText(state, vocabulary),
    conditions: conditionLines(state, vocabulary),
    results: tableShown(state),
    findings: findingsTable(state),
    methods: reportMethods(state, vocabulary),
    provenance: [
      ['Program', `MXScope ${VERSION_TEXT}${saved ? `, results written by ${saved.version}` : ''}`],
      ['Adapter', measuredOn(state)],
      ...files.map((text) => ['File', text] as const),
      ['Seed', String(seed)],
    ],
    link: fragment === '' ? address : `${address}#${fragment}`,
  }
}

/** The paper the page is about, the papers of the shown methods, and this program, a line each. */
export function citeText(state: AppState, { methods }: Vocabulary): string {
  const sources = liveMethods(state).flatMap(({ id }) => {
    const entry = methods.find((each) => each.id === id)
    return entry ? entry.source.split('; ').map((source) => `${entry.label}: ${source}`) : []
  })
  const settings = 'Settings and comparison: arXiv 2601.09555'
  const formats = 'MX formats: OCP Microscaling Formats (MX) Specification v1.0'
  return [`MXScope ${VERSION}`, settings, formats, ...new Set(sources)].map((line) => `${line}\n`).join('')
}
