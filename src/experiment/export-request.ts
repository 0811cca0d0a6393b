/** What an export is asked for and gives back: plain data, for the page and the command alike. */
import { InputError } from '../core/errors'
import type { Progress } from '../core/progress'
import type { Quantizer } from '../formats/number-format'
import type { MxChoices } from '../formats/quantizer'
import { checkLayout, PACKED_LAYOUTS } from '../io/packing/encode'
import type { Dtype } from '../io/tensor-view'
import type { MethodChoice, Setting } from './request'
import type { OperandErrors, OutputErrors } from './result'

/** Decoded values, or codes and scales. */
export const EXPORT_LAYOUTS = ['dequantized-f32', 'dequantized-bf16', ...PACKED_LAYOUTS] as const

export type ExportLayout = (typeof EXPORT_LAYOUTS)[number]

/** One method under one setting, and how its weight is written. With the layer it reproduces every byte. */
export interface ExportRequest extends MxChoices {
  readonly setting: Setting
  readonly method: MethodChoice
  readonly seed: number
  readonly headDim: number | null
  readonly layout: ExportLayout
}

/** One tensor of an exported file. */
export interface ExportedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly byteLength: number
  /** What it is for: the weight itself or a part of it, what X goes through before it is multiplied, the branch beside. */
  readonly role: 'weight' | 'online' | 'low-rank'
}

/** An exported layer: a safetensors file that was read back and gave Ŵ again. */
export interface ExportedLayer {
  readonly file: Uint8Array<ArrayBuffer>
  readonly tensors: readonly ExportedTensor[]
  /** The `quantization_config` of config.json for this module, as JSON text; null for a layout that has none. */
  readonly config: string | null
  /** What a loader that does not know our keys gets wrong, in sentences; empty when nothing. */
  readonly warnings: readonly string[]
  /** What rounding did to W', and the output error on the rows it was fitted on; null where there is none. */
  readonly errors: { readonly weight: OperandErrors | null; readonly calibration: OutputErrors | null }
  /** With the low-rank branch; what runs online is not counted. */
  readonly bitsPerElement: number
  /** What the method says about its fit. */
  readonly notes: readonly string[]
}

/** What an export says while it goes. */
export type ExportEvent =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'exported'; readonly exported: ExportedLayer }

/** A layout as a menu shows it: `refusal` says why it cannot be had, and is null where it can. */
export interface LayoutChoice {
  readonly layout: ExportLayout
  readonly refusal: string | null
}

/**
 * The layouts of a weight of `cols` columns called `name` under `quantizer` (null: left as loaded), in menu order. What
 * is not refused here may still be by the numbers themselves (the scale of an NVFP4 tensor without an inverse).
 */
export function layoutChoices(
  quantizer: Quantizer | null,
  { name, cols }: { name: string; cols: number },
): LayoutChoice[] {
  return EXPORT_LAYOUTS.map((layout) => {
    try {
      checkExportLayout(quantizer, layout, { name, cols })
      return { layout, refusal: null }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return { layout, refusal: error.message }
    }
  })
}

/** Throws InputError PK-06 where `layout` has no place for such a weight, naming what it has. */
export function checkExportLayout(
  quantizer: Quantizer | null,
  layout: ExportLayout,
  { name, cols }: { name: string; cols: number },
): void {
  if (layout === 'dequantized-f32' || layout === 'dequantized-bf16') return
  if (quantizer) {
    checkLayout(name, { quantizer, cols }, layout)
    return
  }
  throw new InputError(
    'PK-06',
    `tensor "${name}": layout ${layout}: expected a weight format, found weights as loaded.`,
  )
}
