import e2m1Table from '../../../shaders/lib/e2m1_table.wgsl?raw'
import e8m0 from '../../../shaders/lib/e8m0.wgsl?raw'
import gridE2m1 from '../../../shaders/lib/grid_e2m1.wgsl?raw'
import gridMx from '../../../shaders/lib/grid_mx.wgsl?raw'
import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import mxRound from '../../../shaders/lib/mx_round.wgsl?raw'
import { InputError } from '../../core/errors'
import type { MxQuantizer } from '../../formats/number-format'
import type { Overrides } from '../pipeline-cache'
import { e2m1Words } from './e2m1-table'
import type { GridLibrary, GridPlan } from './grid-plan'
import { gridMxOverrides, scaleRuleOverrides } from './mx-overrides'

const E2M1: GridLibrary = { name: 'e2m1', code: gridE2m1 + e8m0 + e2m1Table }
const MX: GridLibrary = { name: 'mx', code: gridMx + e8m0 + mxElement + mxRound }

/** The libraries for power-of-two scales. */
export const MX_LIBRARIES: readonly GridLibrary[] = [E2M1, MX]

/** The words of params.table in shaders/lib/grid_e2m1.wgsl; uniforms, so that a pre-scale needs no pipeline. */
function e2m1TableWords({ rounding, preScale }: MxQuantizer): number[] {
  const { thresholds, values, bytes, limit } = e2m1Words(rounding, preScale?.variant === 'exact' ? preScale.factor : 1)
  return [...thresholds, ...values, ...bytes, limit]
}

/**
 * MX blocks under an E8M0 scale. A literal pre-scale is not part of the grid: the kernels' host functions multiply
 * before and divide after (pre-scale.ts).
 */
export function mxGrid(quantizer: MxQuantizer): GridPlan {
  const { element } = quantizer.format
  if (quantizer.scaleRule === 'fp32') {
    throw new InputError('BUG', `${quantizer.format.id}: expected a power-of-two scale rule, found fp32.`)
  }
  const isE2m1 = element.bits === 4
  if (quantizer.preScale !== null && !isE2m1) {
    throw new InputError('BUG', `${quantizer.format.id}: expected no pre-scale, found ${quantizer.preScale.factor}.`)
  }
  const rule: Overrides = scaleRuleOverrides(quantizer)
  return {
    library: isE2m1 ? E2M1 : MX,
    overrides: isE2m1 ? rule : { ...rule, ...gridMxOverrides(quantizer) },
    words: isE2m1 ? e2m1TableWords(quantizer) : [],
    block: quantizer.blockSize,
    codeBits: isE2m1 ? 4 : 8,
    scaleBytes: 1,
    candidates: quantizer.scaleRule === 'best' ? 2 : 1,
    errorKind: 'mse',
    context: null,
  }
}
