import { Arena } from '../../gpu/arena'
import { Recorder } from '../../gpu/recorder'
import type { CalibrationPieces, Context, FitInput, FittedTransform, QuantizedWeight, RowQuantizer } from '../method'
import { clipWeight } from '../rounding/clip-weight'
import { gramFits } from './factor-slabs'
import { gptqChoices } from './options'
import { prepareGptq, prepareSharedGptq } from './quantize-weight'

/** What a result says where the setting leaves the weight alone. */
const NOTHING_TO_COMPENSATE = 'The weight stays in full precision: nothing to compensate.'

/**
 * W' clipped by the transform's bounds, if it has any, and rounded by GPTQ on X'; as it is where the setting leaves weights
 * alone. Throws what `gptqChoices` and `prepareGptq` throw.
 */
export async function compensate(
  { weight, apply, clip }: FittedTransform,
  { calibration, config, options }: FitInput,
  context: Context,
): Promise<QuantizedWeight> {
  const { gpu, signal } = context
  signal.throwIfAborted()
  const choices = gptqChoices(options)
  const quantizer = config.weight
  if (!quantizer) {
    return {
      weight,
      correction: null,
      pack: null,
      notes: [NOTHING_TO_COMPENSATE],
    }
  }
  const scratch = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const clipped = clipWeight(recorder, scratch, weight, clip)
    recorder.submit()
    const { cols: channels, rows: tokens } = calibration
    const request = { ...choices, quantizer }
    const inner = { ...context, arena: scratch }
    const forEach: CalibrationPieces['forEach'] = (visit) => visit(apply(calibration))
    const prepared = gramFits(channels, gpu.pool.limitBytes)
      ? await prepareSharedGptq(() => apply(calibration), request, inner)
      : await prepareGptq({ channels, tokens, forEach }, request, inner)
    const { weight: rounded, pack } = await prepared.quantize(clipped, context)
    return { weight: rounded, correction: null, pack, notes: prepared.notes }
  } finally {
    scratch.release()
  }
}

/** compensate for rows of a weight without clip. Throws as it does. */
export async function prepareGptqRows(
  calibration: CalibrationPieces,
  { config, options }: Pick<FitInput, 'config' | 'options'>,
  context: Context,
): Promise<RowQuantizer> {
  const choices = gptqChoices(options)
  const quantizer = config.weight
  if (!quantizer) return { quantize: async (rows) => rows, notes: [NOTHING_TO_COMPENSATE] }
  const { quantize, notes } = await prepareGptq(calibration, { ...choices, quantizer }, context)
  return { quantize: async (rows, own) => (await quantize(rows, own)).weight, notes }
}
