/** What the page wants to show, by the keys of its results, and the requests that compute what it lacks. */
import type { ComparisonRequest, MethodChoice, Setting } from '../experiment/request'
import type { MxChoices } from '../formats/quantizer'
import type { BuiltInLayer } from '../io/built-in-layers'
import { sameChoices } from './mx-choices'
import { askedHeadDim, layerKey, outcomeKey } from './result-keys'
import type { AppState, MethodSetup } from './state'
import { viewWants, type Want } from './view-wants'

/** One outcome the page wants to show. */
export interface Wanted extends Want {
  readonly key: string
}

/** Every outcome the current view shows, what the table shows first. Empty without a layer. */
export function wantedOutcomes(state: AppState, presets: readonly Setting[]): readonly Wanted[] {
  const layer = layerKey(state)
  if (layer === null) return []
  const wanted = new Map<string, Wanted>()
  for (const want of viewWants(state, presets)) {
    const key = outcomeKey(state, layer, want.setting, want.method, want.mx, want.seed)
    const analysed = want.analysed || wanted.get(key)?.analysed === true
    wanted.set(key, { ...want, analysed, key })
  }
  return [...wanted.values()]
}

/** What all cells of one request share. */
type Choices = Pick<ComparisonRequest, keyof MxChoices | 'seed' | 'scaleAnalysis'>

function hasChoices({ mx, seed, analysed }: Want, choices: Choices): boolean {
  return analysed === choices.scaleAnalysis && seed === choices.seed && sameChoices(mx, choices)
}

const toChoice = ({ id, options }: MethodSetup): MethodChoice => ({ id, options })

/** The request that computes the next missing outcomes: those with the choices of the first, in all settings that lack the same methods. */
export function nextRequest(
  state: AppState,
  missing: readonly Wanted[],
  builtIns: readonly BuiltInLayer[],
): ComparisonRequest {
  const [{ mx, seed, analysed, setting: first }] = missing
  const choices = { ...mx, seed, scaleAnalysis: analysed }
  const alike = missing.filter((each) => hasChoices(each, choices))
  const lacking = (id: string) => alike.filter(({ setting }) => setting.id === id).map(({ method }) => method)
  const same = (a: readonly MethodSetup[], b: readonly MethodSetup[]) =>
    a.length === b.length && a.every((method, i) => method.id === b[i].id)
  const settings = [...new Map(alike.map(({ setting }) => [setting.id, setting])).values()]
  const methods = lacking(first.id)
  return {
    settings: settings.filter(({ id }) => same(lacking(id), methods)),
    methods: methods.map(toChoice),
    ...choices,
    headDim: askedHeadDim(state, builtIns),
  }
}

/** The missing outcomes that a request made of them computes. */
export function jobsOf(request: ComparisonRequest, missing: readonly Wanted[]): readonly Wanted[] {
  return missing.filter(
    (each) =>
      hasChoices(each, request) &&
      request.settings.some(({ id }) => id === each.setting.id) &&
      request.methods.some(({ id }) => id === each.method.id),
  )
}
