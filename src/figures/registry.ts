import { blockSizeSweep } from './block-size-sweep'
import { clipping } from './clipping'
import { distribution } from './distribution'
import { envelope } from './envelope'
import { errorCurve } from './error-curve'
import { errorSplit } from './error-split'
import type { Figure } from './figure'
import { magnitudeMap } from './magnitude-map'
import { preScaleSweep } from './pre-scale-sweep'
import { scales } from './scales'
import { surface } from './surface'
import { training } from './training'

/** All figures, in menu order. */
export const FIGURES: readonly Figure[] = [
  distribution,
  magnitudeMap,
  surface,
  envelope,
  scales,
  errorSplit,
  preScaleSweep,
  blockSizeSweep,
  clipping,
  errorCurve,
  training,
]
