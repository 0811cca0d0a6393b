import { numberOption, type OptionValues } from '../../core/options'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform } from '../method'
import { type AwqVariant, bestCandidate, type ScaleCandidate, scaleCandidates } from './awq-grid'
import { type ClipSearch, sampleRows, searchClip } from './clip-search'
import { scaleBlock } from './scale-block'
import { scaleLosses } from './scale-search'
import { type ChannelScaling, describeDead, describeFolding, scaled, uploadScaling, withScratch } from './scaling'
import { columnMeans, columnShares } from './statistics'

/** Fits transforms/awq.ts: a scale per channel, and apart from it the clip of the scaled weight's blocks. */
export async function fitAwq(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal } = context
  const { weight, calibration } = input
  signal.throwIfAborted()
  const means = await columnMeans(gpu, calibration)
  const dead = means.filter((mean) => !(mean > 0)).length
  const { scale, note } = await findScale(input, means, context)
  const scaling = uploadScaling(gpu, arena, scale)
  const scaledWeight = scaled(gpu, arena, weight, scaling.scale)
  const clip = await findClip(input, { scaledWeight, scaling }, context)
  return {
    weight: scaledWeight,
    apply: (activations) => scaled(gpu, arena, activations, scaling.inverse),
    online: [scaling.online],
    clip: clip && { activation: null, weight: null, activationBlocks: null, weightBlocks: clip.bounds },
    report: {
      notes: [note, ...describeDead(dead), ...(clip ? [describeClip(clip)] : []), describeFolding(weight.cols)],
      training: null,
      onlineOperations: weight.cols,
      onlineBytes: 2 * weight.cols,
    },
  }
}

function variantOf({ variant }: OptionValues): AwqVariant {
  return variant === 'duo' || variant === 'activation-aware' ? variant : 'plain'
}

async function findScale(
  input: FitInput,
  means: Float64Array,
  context: Context,
): Promise<{ readonly scale: ScaleCandidate['scale']; readonly note: string }> {
  const { weight, config, options } = input
  const variant = variantOf(options)
  const withActivations = variant === 'activation-aware'
  const isRounded = config.weight !== null || (withActivations && config.activation !== null)
  if (!isRounded || !means.some((mean) => mean > 0)) {
    const reason = isRounded ? 'Every channel is zero' : 'Nothing that counts in the error is rounded'
    return { scale: new Float32Array(means.length).fill(1), note: `${reason}, so no scale was searched: s = 1.` }
  }
  const block = (config.weight && scaleBlock(config.weight)) ?? 'row'
  const shares = variant === 'duo' ? await columnShares(context.gpu, weight, block) : means
  const candidates = scaleCandidates(variant, numberOption(options, 'points'), { means, shares })
  const losses = await scaleLosses(input, candidates, { withActivations }, context)
  const best = bestCandidate(losses)
  return { scale: candidates[best].scale, note: describeScale(variant, candidates, losses, best) }
}

function describeScale(
  variant: AwqVariant,
  candidates: readonly ScaleCandidate[],
  losses: readonly number[],
  best: number,
): string {
  const { ratio } = candidates[best]
  const share = Math.sqrt(losses[best] / losses[0])
  const change = Number.isFinite(share) ? `: output error ${share.toFixed(4)} of that without a scale` : ''
  const formula = ratio === null ? 's = 1' : `r = ${Number(ratio.toFixed(4))}`
  return `${formula}, the best of ${candidates.length} grid points (${variant})${change}.`
}

/** The clip of the scaled weight; null where it is switched off or the weight has no scale a clip could change. */
async function findClip(
  { calibration, config, options }: FitInput,
  { scaledWeight, scaling }: { readonly scaledWeight: GpuMatrix; readonly scaling: ChannelScaling },
  context: Context,
): Promise<ClipSearch | null> {
  const width = config.weight && scaleBlock(config.weight)
  if (!config.weight || !width || options.clip === 'off') return null
  const quantizer = config.weight
  return withScratch(context.gpu, async (scratch) => {
    const recorder = new Recorder(context.gpu)
    const sample = sampleRows(recorder, scratch, calibration)
    const rows = scaleColumns(recorder, scratch, sample, scaling.inverse)
    recorder.submit()
    return searchClip(scaledWeight, rows, { width, quantizer }, context)
  })
}

function describeClip({ blocks, clippedBlocks }: ClipSearch): string {
  const share = ((100 * clippedBlocks) / blocks).toFixed(1)
  return (
    `${share} % of ${blocks} weight blocks are clipped. The published code clips no q and k projections; ` +
    'turn the clip off for those.'
  )
}
