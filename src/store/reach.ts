/** Which choices act on a setting. A choice that reaches no tensor is shown disabled, with the reason. */
import type { Setting } from '../experiment/request'
import { preScaleReaches } from '../experiment/setting-text'
import { isMxFormat } from '../figures/describe'
import type { ScaleRule } from '../formats/number-format'

type Formats = Omit<Setting, 'id'>

/** True when scale rule, rounding and block size act on a tensor of the setting. */
export function hasMxFormat({ weightFormat, activationFormat, outputFormat }: Formats): boolean {
  return [weightFormat, activationFormat, outputFormat].some(isMxFormat)
}

/** Why scale rule, rounding and block size change nothing; null when they do. */
export function mxObstacle(formats: Formats): string | null {
  return hasMxFormat(formats) ? null : 'No tensor has an MX format.'
}

/** Why the pre-scale changes nothing; null when it does. */
export function preScaleObstacle(formats: Formats, scaleRule: ScaleRule): string | null {
  if (preScaleReaches(formats, scaleRule)) return null
  return preScaleReaches(formats, 'floor')
    ? 'With fp32 scales no element clips, so there is nothing to pre-scale.'
    : 'No tensor has a 4-bit MX format.'
}
