/** What the page wants to show, by the keys of its results, and the requests that compute what it lacks. */
import type { ComparisonRequest, MethodChoice, Setting } from '../experiment/request'
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

const toChoice = ({ id, options }: MethodSetup): MethodChoice => ({ id, options })

/** The request that computes the next missing outcomes: those with the choices of the first, in all settings that lack the same methods. */
export function nextRequest(
  state: AppState,
  missing: readonly Wanted[],
  builtIns: readonly BuiltInLayer[],
): ComparisonRequest {
  const [{ mx, seed, analysed, setting: first }] = missing
  const alike = missing.filter((each) => each.analysed === analysed && each.seed === seed && sameChoices(each.mx, mx))
  const lacking = (id: string) => alike.filter(({ setting }) => setting.id === id).map(({ method }) => method)
  const same = (a: readonly MethodSetup[], b: readonly MethodSetup[]) =>
    a.length === b.length && a.every((method, i) => method.id === b[i].id)
  const settings = [...new Map(alike.map(({ setting }) => [setting.id, setting])).values()]
  const methods = lacking(first.id)
  return {
    settings: settings.filter(({ id }) => same(lacking(id), methods)),
    methods: methods.map(toChoice),
    ...mx,
    seed,
    headDim: askedHeadDim(state, builtIns),
    scaleAnalysis: analysed,
  }
}

/** The missing outcomes that a request made of them computes. */
export function jobsOf(request: ComparisonRequest, missing: readonly Wanted[]): readonly Wanted[] {
  return missing.filter(
    ({ setting, method, mx, seed, analysed }) =>
      analysed === request.scaleAnalysis &&
      seed === request.seed &&
      sameChoices(mx, request) &&
      request.settings.some(({ id }) => id === setting.id) &&
      request.methods.some(({ id }) => id === method.id),
  )
}
