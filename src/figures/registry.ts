import { distribution } from './distribution'
import { envelope } from './envelope'
import { errorCurve } from './error-curve'
import type { Figure } from './figure'
import { magnitudeMap } from './magnitude-map'
import { surface } from './surface'
import { training } from './training'

/** All figures, in menu order. */
export const FIGURES: readonly Figure[] = [distribution, magnitudeMap, surface, envelope, errorCurve, training]
