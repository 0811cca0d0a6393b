/** How a layer shrinks with the tokens it is asked for with. */
import { InputError } from '../core/errors'
import { type LayerSources, outlineLayer } from './load-layer'
import type { LayerShape } from './pieces'

/** Sizes of one layer over the number of tokens a user asks for. */
export interface TokenScale {
  /** Rows of activations that are read: of both sets together, or of each where each has a tensor of its own. */
  readonly used: number
  /** The layer with so many of them; null: too few to be split. */
  shapeAt(tokens: number): LayerShape | null
}

/** The scale of the layer that `sources` describe. Throws what outlineLayer throws. */
export function tokenScale(sources: LayerSources): TokenScale {
  return {
    used: usedTokens(sources),
    shapeAt: (tokens) => {
      try {
        return outlineLayer(withTokens(sources, tokens)).facts
      } catch (error) {
        if (error instanceof InputError) return null
        throw error
      }
    },
  }
}

/**
 * The largest number of tokens below those used with which the layer `fits`, which holds for all smaller ones too; null
 * where no number helps.
 */
export function mostFitting({ used, shapeAt }: TokenScale, fits: (shape: LayerShape) => boolean): number | null {
  let [least, most] = [0, used - 1]
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    const shape = shapeAt(middle)
    if (shape === null || fits(shape)) least = middle
    else most = middle - 1
  }
  const shape = least > 0 ? shapeAt(least) : null
  return shape && fits(shape) ? least : null
}

/** Rows of activations that a run reads: of both sets together, or of each where each has a tensor of its own. */
export function usedTokens(sources: LayerSources): number {
  const { calibrationTokens, evaluationTokens, sameRows } = outlineLayer(sources).facts
  const { activations } = sources
  if (activations.kind === 'captured' && activations.evaluation) return Math.max(calibrationTokens, evaluationTokens)
  return sameRows ? calibrationTokens : calibrationTokens + evaluationTokens
}

/** `sources` as they are where a user asks for so many tokens. */
export function withTokens(sources: LayerSources, tokens: number): LayerSources {
  const { activations } = sources
  if (activations.kind === 'captured') return { ...sources, tokens }
  return { ...sources, activations: { ...activations, spec: { ...activations.spec, tokens } } }
}
