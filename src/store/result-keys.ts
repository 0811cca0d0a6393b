/** Names of computed things: two runs with the same key give the same numbers, so a key is computed once. */
import type { Setting } from '../experiment/request'
import type { MethodOutcome } from '../experiment/result'
import type { MxChoices } from '../formats/quantizer'
import type { BuiltInLayer } from '../io/built-in-layers'
import type { LayerChoice } from '../worker/protocol'
import { mxChoices } from './mx-choices'
import { savedLayerKey, savedOnScreen } from './saved-layer'
import { findTensor, gainOf } from './selection'
import type { AppState, MethodSetup, SetupSlice } from './state'

/** Above this many multiply-adds, a software adapter uses the first SOFTWARE_TOKENS rows unless the user says more. */
const SOFTWARE_WEIGHT_ELEMENTS = 1024 * 1024
export const SOFTWARE_TOKENS = 256

function weightElements({ source }: AppState): number {
  const weight = findTensor(source.files, source.weight)
  return weight ? weight.view.shape.reduce((product, size) => product * size, 1) : 0
}

/** Rows of captured activations to use, null for all: the user's number, else the cap of a software adapter. */
export function effectiveTokens(state: AppState): number | null {
  if (state.source.tokens !== null) return state.source.tokens
  const capped = state.device.adapter?.isSoftware === true && weightElements(state) > SOFTWARE_WEIGHT_ELEMENTS
  return capped ? SOFTWARE_TOKENS : null
}

/** What the engine is asked to load; null while no weight is chosen. */
export function layerChoice(state: AppState): LayerChoice | null {
  const { files, weight, activations, synthetic, heldOutShare, firstToken } = state.source
  if (!weight) return null
  if (activations.kind === 'captured') {
    return { weight, activations, heldOutShare, firstToken, tokens: effectiveTokens(state) }
  }
  const gain = activations.kind === 'norm' ? gainOf(files, weight) : null
  const spec = { ...synthetic, seed: state.setup.seed }
  return { weight, activations: { kind: 'synthetic', spec, gain }, heldOutShare, firstToken: 0, tokens: null }
}

/** The key of the layer on screen, or of the one that results of a file were computed on; null while there is none. */
export function layerKey(state: AppState): string | null {
  const saved = savedOnScreen(state)
  if (saved !== null) return savedLayerKey(saved)
  const choice = layerChoice(state)
  return choice && JSON.stringify(choice)
}

const rotatesHeads = ({ options }: MethodSetup) => options.span === 'head'

/** True when the size of a head decides a number: blocks of a quantized output begin anew at each, QuaRot can rotate each. */
export function usesHeads({ setting, methods }: SetupSlice): boolean {
  return setting.outputFormat !== null || methods.some(rotatesHeads)
}

/** The key of one outcome: layer, setting, method with its options, and everything else a number depends on. */
export function outcomeKey(
  state: AppState,
  layer: string,
  setting: Setting,
  method: MethodSetup,
  mx: MxChoices = mxChoices(state.setup),
  seed: number = state.setup.seed,
): string {
  const { scaleRule, rounding, preScale, blockSize } = mx
  const { weightFormat, activationFormat, outputFormat } = setting
  return JSON.stringify([
    layer,
    weightFormat,
    activationFormat,
    outputFormat,
    method.id,
    method.options,
    scaleRule,
    rounding,
    preScale?.factor,
    preScale?.variant,
    blockSize,
    outputFormat !== null || rotatesHeads(method) ? state.setup.headDim : null,
    seed,
  ])
}

/** Whether `results` has this outcome, with its scale analysis where it is asked for. A failure is an outcome. */
export function hasOutcome(
  results: Readonly<Record<string, MethodOutcome>>,
  { key, analysed }: { readonly key: string; readonly analysed: boolean },
): boolean {
  if (!Object.hasOwn(results, key)) return false
  const outcome = results[key]
  return !analysed || outcome.kind === 'failure' || outcome.scaleAnalysis !== null
}

/** Channels of a head where the user names none: those of the built-in layer on screen; null: the engine's own choice. */
export function automaticHeadDim({ source }: AppState, builtIns: readonly BuiltInLayer[]): number | null {
  return builtIns.find(({ id }) => id === source.active)?.headDim ?? null
}

/** Channels of a head that a run is asked for; null: the engine's own choice. */
export function askedHeadDim(state: AppState, builtIns: readonly BuiltInLayer[]): number | null {
  return state.setup.headDim ?? automaticHeadDim(state, builtIns)
}
