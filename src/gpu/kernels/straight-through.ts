import firstEqual from '../../../shaders/lib/first_equal.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/straight_through.wgsl?raw'
import type { MxQuantizer, Quantizer } from '../../formats/number-format'
import { type GpuMatrix, STRIDE_MULTIPLE } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const F32_MANTISSA_BITS = 23
const LARGEST_F32 = (2 - 2 ** -F32_MANTISSA_BITS) * 2 ** 127
/** Largest value of NVFP4 under its largest block scale alone: 6 times 448. */
const NVFP4_LARGEST = 2688

export const straightThroughKernel: Kernel = {
  name: 'straight_through',
  code: source + workgroupIndex + firstEqual,
  bindings: ['read', 'read', 'write'],
}

/** Whether the gradient passes through the block's scale, or only through the elements: see straightThroughRule. */
export type StraightThroughRule = 'saturation' | 'scale'

/** Bits of a positive f32. */
function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]
}

/** From which mantissa of the block maximum the shared exponent goes one up (docs/formats.md, scale rules). */
function bumpAt({ format: { element }, scaleRule }: MxQuantizer): number {
  const fractionBits = element.kind === 'fixed' ? element.fractionBits : element.mantissaBits
  switch (scaleRule) {
    case 'rceil':
      return bitsOf(element.maxFinite) - bitsOf(2 ** element.emax) + 1
    case 'ceil':
      return 1
    case 'even':
      return 2 ** F32_MANTISSA_BITS - 2 ** (F32_MANTISSA_BITS - 1 - fractionBits)
    default:
      return 2 ** F32_MANTISSA_BITS
  }
}

/** Elements whose scale is one number; a row's scale makes one block of it. */
function blockOf(quantizer: Quantizer, stride: number): number {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.blockSize
    case 'nvfp':
      return quantizer.format.blockSize
    case 'integer':
      return quantizer.group === 'row' ? stride : quantizer.group
    case 'sixteen-bit':
      return STRIDE_MULTIPLE
    default:
      return quantizer satisfies never
  }
}

/** What the kernel must know to say which elements saturate: see Params in the shader. */
interface Saturation {
  /** Largest value of a block whose maximum lies in [2^emax, 2^(emax + 1)), and 2^emax. Infinity: none saturates. */
  readonly largest: number
  readonly binade: number
  /** Largest value of the format under any scale. */
  readonly ceiling: number
  readonly factor: number
}

const UNSATURATED: Saturation = { largest: Infinity, binade: 1, ceiling: LARGEST_F32, factor: 1 }

function saturationOf(quantizer: Quantizer): Saturation {
  if (quantizer.family === 'sixteen-bit') return { ...UNSATURATED, ceiling: quantizer.format.element.maxFinite }
  if (quantizer.family === 'nvfp')
    return quantizer.tensorScale ? UNSATURATED : { ...UNSATURATED, ceiling: NVFP4_LARGEST }
  if (quantizer.family === 'integer' || quantizer.scaleRule === 'fp32') return UNSATURATED
  const { preScale, format } = quantizer
  const binade = 2 ** format.element.emax
  const largest = format.element.maxFinite / (preScale?.variant === 'exact' ? preScale.factor : 1)
  return { ...UNSATURATED, largest, binade, factor: preScale?.variant === 'literal' ? preScale.factor : 1 }
}

/** Whether the scale rule gives some block a scale under which its maximum saturates. */
function canSaturate(quantizer: Quantizer): boolean {
  if (quantizer.family !== 'mx') return quantizer.family === 'sixteen-bit'
  const { largest, binade } = saturationOf(quantizer)
  const highestMaximum = binade * (1 + (bumpAt(quantizer) - 1) / 2 ** F32_MANTISSA_BITS)
  return largest < highestMaximum
}

/**
 * The straight-through rule that does not diverge: 'saturation' (no gradient where an element saturates) for
 * quantizers under which elements can saturate, 'scale' (gradient through the block's scale) for the others, whose
 * scale follows the block. Why: docs/methods.md, "the straight-through rule".
 */
export function straightThroughRule(quantizer: Quantizer): StraightThroughRule {
  return canSaturate(quantizer) ? 'saturation' : 'scale'
}

/** What of the block its scale follows, as the shader counts: nothing, max |m|, max(m, 0) − min(m, 0). */
function scaleFollows(quantizer: Quantizer, rule: StraightThroughRule): number {
  if (rule === 'saturation' || quantizer.family === 'sixteen-bit') return 0
  return quantizer.family === 'integer' && quantizer.scheme === 'asym' ? 2 : 1
}

/**
 * Turns `gradient`, ∂L/∂(quantized), into ∂L/∂(values) in place.
 *
 * Shapes: gradient [rows, cols] like `values`, which `quantized` was rounded from.
 * Rules: 'saturation' and 'scale' as in straightThroughRule; where they saturate, elements get no gradient of their own.
 * Accuracy: f32 sums over a block in order. Pre-scale factors and the limits they give are rounded to f32, so an element or
 * a maximum within 2^-22 of a limit or a power of two may count as on its other side.
 * Source: docs/methods.md, "straight-through rule"; checked against float64 in test/gpu/flatquant-gradients.test.ts.
 */
export function straightThrough(
  recorder: Recorder,
  gradient: GpuMatrix,
  {
    values,
    quantized,
    quantizer,
    rule,
  }: { values: GpuMatrix; quantized: GpuMatrix; quantizer: Quantizer; rule: StraightThroughRule },
): void {
  const { rows, stride } = gradient
  const block = blockOf(quantizer, stride)
  const blocks = Math.ceil(stride / block)
  const { largest, binade, ceiling, factor } = saturationOf(quantizer)
  recorder.dispatch(straightThroughKernel, {
    overrides: {
      SCALE_FOLLOWS: scaleFollows(quantizer, rule),
      BUMP_AT: quantizer.family === 'mx' ? bumpAt(quantizer) : 2 ** F32_MANTISSA_BITS,
    },
    uniforms: [
      rows,
      stride / 4,
      blocks,
      block / 4,
      bitsOf(Math.min(largest, LARGEST_F32)) - bitsOf(binade),
      bitsOf(ceiling),
      f32(factor),
    ],
    buffers: [values.buffer, quantized.buffer, gradient.buffer],
    workgroups: Math.ceil((rows * blocks) / WORKGROUP_SIZE),
  })
}
