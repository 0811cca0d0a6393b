import type { MethodResult } from '../experiment/result'
import type { FigureOptions } from './figure'
import { findReference, sharedScales } from './shared-scales'
import type { Theme } from './theme'

/** Options for results that are shown together, all under one setting: scales and reference are taken from them. */
export function figureOptions(
  results: readonly MethodResult[],
  look: { readonly theme: Theme } & Partial<Pick<FigureOptions, 'height' | 'axes'>>,
): FigureOptions {
  return {
    theme: look.theme,
    height: look.height ?? 'linear',
    axes: look.axes ?? 'shared',
    scales: sharedScales(results),
    reference: findReference(results),
    setting: results[0]?.setting ?? null,
    unfinished: [],
  }
}
