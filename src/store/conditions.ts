/** Everything about the number formats that a result depends on, in words. */
import type { ResultIdentity } from '../experiment/result'
import { preScaleText, type SettingFormats } from '../experiment/setting-text'
import { blockRemark } from '../figures/describe'
import { formatLabel, parseFormat } from '../formats/format-text'
import { type MxChoices, STANDARD_MX } from '../formats/quantizer'
import { hasMxFormat } from './reach'
import { isRounding, isScaleRule, ROUNDING_TEXT, SCALE_RULE_TEXT } from './vocabulary'

const labelOf = (text: string | null) => (text === null ? 'as loaded' : formatLabel(parseFormat(text)))

/** The formats of a setting and, where the output has one, the channels of a head where they are known. */
interface Formats extends SettingFormats {
  readonly headDim: number | null
}

/** "W MXFP4, X INT8, group 128", "scale rule floor (OCP)", …: rules only where an MX format is among the formats. */
export function formatConditions(formats: Formats, choices: MxChoices): readonly string[] {
  const { weightFormat, activationFormat, outputFormat, headDim } = formats
  const heads = headDim === null ? '' : ` per head of ${headDim} channels`
  const output = outputFormat === null ? [] : [`Y ${labelOf(outputFormat)}${heads}`]
  const remark = blockRemark({ ...formats, blockSize: choices.blockSize })
  const rules = [
    `scale rule ${SCALE_RULE_TEXT[choices.scaleRule].label}`,
    `rounding ${ROUNDING_TEXT[choices.rounding]}`,
    ...(remark === null ? [] : [remark]),
  ]
  return [
    [`W ${labelOf(weightFormat)}`, `X ${labelOf(activationFormat)}`, ...output].join(', '),
    ...(hasMxFormat(formats) ? rules : []),
    `pre-scale ${preScaleText(choices.preScale, [formats], choices.scaleRule)}`,
  ]
}

/** The same of a result, from what it carries itself. */
export function resultConditions(result: ResultIdentity): readonly string[] {
  const { preScale, preScaleVariant } = result
  // Without an MX format a result has no such choices, and none is named.
  const scaleRule = result.scaleRule ?? STANDARD_MX.scaleRule
  const rounding = result.rounding ?? STANDARD_MX.rounding
  const blockSize = result.blockSize ?? STANDARD_MX.blockSize
  if (!isScaleRule(scaleRule) || !isRounding(rounding)) return []
  const used = preScale === null ? null : { factor: preScale, variant: preScaleVariant ?? 'exact' }
  return formatConditions(result, { scaleRule, rounding, blockSize, preScale: used })
}
