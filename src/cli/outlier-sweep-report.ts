/** The points of an outlier study as the JSON, CSV and text that the sweep command writes (docs/headless.md). */
import { csvText } from '../core/csv'
import { crossings } from '../experiment/crossings'
import type { OutlierPoint, OutlierStudyRequest } from '../experiment/outlier-study'
import { settingOf } from '../experiment/settings'
import { mxChoicesText } from './mx-arguments'
import { ABSENT, alignTable, decimals } from './output'

/** What a study was of, and what came out. */
export interface OutlierSweep {
  readonly adapter: unknown
  readonly request: OutlierStudyRequest
  readonly points: readonly OutlierPoint[]
}

/** The document of `--json`, schema mxscope.outliers/1. */
export function outlierReport({ adapter, request, points }: OutlierSweep) {
  return {
    schema: 'mxscope.outliers/1',
    adapter,
    ...request,
    points: points.map(({ error, ...point }) => ({
      ...point,
      error: error && { code: error.code, message: error.message },
    })),
    crossings: crossings(points),
  }
}

/** One line per point under a heading, numbers in full precision; empty where there is none. */
export function outlierCsv({ points }: OutlierSweep): string {
  const heading = [
    ...['format', 'method', 'strength', 'evaluation', 'calibration', 'predictedRotation'],
    ...['kurtosisBefore', 'crestBefore', 'kurtosisAfter', 'crestAfter', 'errorCode', 'errorMessage'],
  ]
  const lines = points.map(({ format, method, strength, before, after, error, ...point }) => [
    ...[format, method, strength, point.evaluation, point.calibration, point.predictedRotation],
    ...[before.kurtosis, before.crest, after?.kurtosis ?? null, after?.crest ?? null],
    ...[error?.code ?? null, error?.message ?? null],
  ])
  return csvText([heading, ...lines])
}

/** Which layers and choices the table depends on, a line each. */
function conditionsOf({ layer, formats, repeats, seed, ...choices }: OutlierStudyRequest): string[] {
  const { outDim, inDim, tokens, outlierChannels, correlation, tailDegrees, clustered } = layer
  const rows = tailDegrees === null ? 'Gaussian' : `Student t, ${tailDegrees} degrees of freedom`
  const settings = formats.map((text) => settingOf({ weightFormat: text, activationFormat: text, outputFormat: null }))
  const layers = repeats === 1 ? `seed ${seed}` : `means over seeds ${seed} … ${seed + repeats - 1}`
  return [
    `synthetic layers: weight [${outDim}, ${inDim}], ${tokens} calibration + ${tokens} evaluation rows, ${rows}`,
    `${outlierChannels} outlier channels${clustered ? ', clustered' : ''}, weight columns there times k^-${correlation}`,
    `${mxChoicesText(choices, settings)}; ${layers}`,
    'relative errors of the output on evaluation rows; prediction: closed form of a global rotation',
  ]
}

/** Errors of one format: a line per strength, a column per method. */
function tableOf({ points, request }: OutlierSweep, format: string): string {
  const ids = [...new Set(points.map(({ method }) => method))]
  const mine = points.filter((point) => point.format === format)
  const rows = request.strengths.map((strength) => {
    const at = mine.filter((point) => point.strength === strength)
    const errors = ids.map((id) => {
      const point = at.find(({ method }) => method === id)
      return point?.error ? point.error.code : decimals(point?.evaluation, 5)
    })
    return [String(strength), ...errors, decimals(at[0]?.predictedRotation, 5)]
  })
  const heading = [`${format}, k`, ...ids, 'prediction']
  return alignTable(
    [heading, ...rows],
    heading.map((_, column) => column),
  )
}

/** Strengths below which curves may well cross between two points and show nothing of it. */
const FEW_STRENGTHS = 4

/** Where curves cross RTN's, a line each, or why none is named. */
function crossingLines(points: readonly OutlierPoint[]): string[] {
  if (!points.some(({ method }) => method === 'rtn')) return [`crossings: ${ABSENT} (rtn is not among the methods)`]
  const lines = crossings(points).map(
    ({ format, method, strength, above }) =>
      `${format}: ${method} crosses RTN at k = ${strength.toFixed(1)}, ${above} above`,
  )
  const strengths = new Set(points.map(({ strength }) => strength)).size
  if (strengths < FEW_STRENGTHS) {
    const count = `${strengths} ${strengths === 1 ? 'strength' : 'strengths'}`
    return [...lines, `crossings: looked for between ${count} only, so others may be missed`]
  }
  return lines.length > 0 ? lines : [`no curve crosses that of RTN between the ${strengths} strengths`]
}

/** Remarks that hold at every point of a method, once each, with its name before them. Failed points have none. */
export function sharedNotes(points: readonly OutlierPoint[]): string[] {
  const done = points.filter(({ error }) => error === null)
  return [...new Set(done.map(({ method }) => method))].flatMap((id) => {
    const [first = [], ...others] = done.filter(({ method }) => method === id).map(({ notes }) => notes)
    return first.filter((note) => others.every((notes) => notes.includes(note))).map((note) => `${id}: ${note}`)
  })
}

/** The table of a terminal: conditions, errors by format, and where curves cross RTN's. */
export function outlierText(sweep: OutlierSweep): string {
  const { request, points } = sweep
  const formats = [...new Set(request.formats)]
  return [
    conditionsOf(request)
      .map((line) => `${line}\n`)
      .join(''),
    ...formats.map((format) => tableOf(sweep, format)),
    crossingLines(points)
      .map((line) => `${line}\n`)
      .join(''),
  ].join('\n')
}
