/** What may be profiled beside the activations a comparison measures, as data: tensors, stages, and what is asked for. */
import type { ErrorReport } from '../core/errors'
import type { Progress } from '../core/progress'
import type { MxChoices } from '../formats/quantizer'
import { activationCandidates } from '../io/pair-layer'
import type { TensorView } from '../io/tensor-view'
import type { MethodChoice, Setting } from './request'
import type { ActivationProfile } from './result'

/** X of the evaluation rows, W, the output error Ŷ − Y of the evaluation rows, or another tensor of an open file. */
export type ProfileSubject = 'activations' | 'weight' | 'error' | 'tensor'

/** As it was loaded; after the transform, before clip and rounding; as the product sees it. */
export type ProfileStage = 'loaded' | 'transformed' | 'quantized'

/**
 * Distributions by tensor and stage. `quantized` is missing where the setting leaves the tensor as loaded. An error has
 * this stage alone.
 */
export type Profiles = Readonly<Partial<Record<ProfileSubject, Partial<Record<ProfileStage, ActivationProfile>>>>>

export interface ProfileRequest extends MxChoices {
  readonly setting: Setting
  readonly methods: readonly MethodChoice[]
  readonly seed: number
  readonly headDim: number | null
  /** null: activations, weight and output error of the layer. Else this tensor alone. */
  readonly tensor: { readonly fileId: string; readonly tensor: string } | null
}

/** What a run over a ProfileRequest says: what is loaded first, then method by method in the order of the request. */
export type ProfileEvent =
  | { readonly kind: 'loaded'; readonly profiles: Profiles }
  | { readonly kind: 'started'; readonly method: string }
  | { readonly kind: 'progress'; readonly method: string; readonly progress: Progress }
  | { readonly kind: 'profiled'; readonly method: string; readonly profiles: Profiles }
  | { readonly kind: 'failed'; readonly method: string; readonly error: ErrorReport }

/** Elements of a tensor that are read at most: 256 MiB as f32. Of a larger one the first rows are. */
const MAX_ELEMENTS = 2 ** 26

/** How many rows of a tensor [rows, cols] are read. */
export function profiledRows([rows, cols]: readonly number[]): number {
  return Math.min(rows, Math.max(1, Math.floor(MAX_ELEMENTS / cols)))
}

/**
 * Whether the activation side of the transforms of a layer applies to `tensor`: it is as wide as the input and its name
 * does not say that it is a parameter. `weight` is the layer's own, `inDim` its input dimension as it is used.
 */
export function takesTransform(tensor: TensorView, weight: TensorView, inDim: number): boolean {
  return activationCandidates([tensor], { ...weight, shape: [inDim, inDim] }).length > 0
}
