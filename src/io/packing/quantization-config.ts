import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import type { PackedLayout } from './encode'

/** Which modules a config is about: names or classes of those quantized, names of those left alone. */
export interface ConfigScope {
  readonly targets: readonly string[]
  readonly ignore: readonly string[]
}

/** Facts of compressed-tensors about one kind of weight. */
interface Scheme {
  readonly format: string
  readonly weights: Readonly<Record<string, unknown>>
}

/**
 * The `quantization_config` of config.json for weights written by encodeWeight in `layout`: what a loader of the
 * ecosystem needs beside the tensors. Weights only; activations stay as they are.
 * Throws InputError PK-06 for a format without a scheme of that layout.
 * Source: compressed-tensors, quantization_config of its formats; Hugging Face transformers, mxfp4.
 */
export function quantizationConfig(quantizer: Quantizer, layout: PackedLayout, { targets, ignore }: ConfigScope) {
  if (layout === 'blocks-scales') return { quant_method: 'mxfp4', modules_to_not_convert: [...ignore] }
  const { format, weights } = schemeOf(quantizer)
  const group = { targets: [...targets], weights, input_activations: null, output_activations: null, format }
  return {
    quant_method: 'compressed-tensors',
    format,
    quantization_status: 'compressed',
    ignore: [...ignore],
    kv_cache_scheme: null,
    config_groups: { group_0: group },
  }
}

function schemeOf(quantizer: Quantizer): Scheme {
  const float = { type: 'float', symmetric: true, dynamic: false }
  switch (quantizer.family) {
    case 'mx': {
      const { id } = quantizer.format
      if (id !== 'mxfp4' && id !== 'mxfp8_e4m3') break
      const group = { strategy: 'group', group_size: quantizer.blockSize, scale_dtype: 'torch.uint8' }
      const isFp4 = id === 'mxfp4'
      return {
        format: isFp4 ? 'mxfp4-pack-quantized' : 'mxfp8-quantized',
        weights: { num_bits: isFp4 ? 4 : 8, ...float, ...group },
      }
    }
    case 'nvfp': {
      const group = { strategy: 'tensor_group', group_size: quantizer.format.blockSize }
      const weights = { num_bits: 4, ...float, ...group, scale_dtype: 'torch.float8_e4m3fn' }
      return { format: 'nvfp4-pack-quantized', weights }
    }
    case 'integer': {
      const { group, scheme, format } = quantizer
      const facts = { num_bits: format.element.bits, type: 'int', symmetric: scheme !== 'asym', dynamic: false }
      const strategy = group === 'row' ? { strategy: 'channel' } : { strategy: 'group', group_size: group }
      return { format: 'pack-quantized', weights: { ...facts, ...strategy } }
    }
    case 'sixteen-bit':
      break
    default:
      return quantizer satisfies never
  }
  const message = `expected MXFP4, MXFP8 E4M3, NVFP4, INT4 or INT8, found ${quantizer.format.label}`
  throw new InputError('PK-06', `compressed-tensors config: ${message}.`)
}
