import type { ResultIdentity } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { parseFormat } from '../formats/format-text'
import { STANDARD_MX } from '../formats/quantizer'
import { methodStyle } from './method-style'

/** The name of a method as the papers write it. */
export function methodLabel(methodId: string): string {
  return methodStyle(methodId, 'light').label
}

/** The method, and its setting where `all` has several. */
export function lineName(result: ResultIdentity, all: readonly ResultIdentity[]): string {
  const several = new Set(all.map((one) => one.setting)).size > 1
  return several ? `${methodLabel(result.method)} ${settingLabel(result.setting)}` : methodLabel(result.method)
}

type BlockIdentity = Pick<ResultIdentity, 'weightFormat' | 'activationFormat' | 'outputFormat' | 'blockSize'>

/** "blocks of 64 (non-standard)" where an MX tensor has blocks of another size than the standard's; else null. */
export function blockRemark({ weightFormat, activationFormat, outputFormat, blockSize }: BlockIdentity): string | null {
  const hasMx = [weightFormat, activationFormat, outputFormat].some(isMxFormat)
  return hasMx && blockSize !== null && blockSize !== STANDARD_MX.blockSize
    ? `blocks of ${blockSize} (non-standard)`
    : null
}

/** What scale analyses leave out where a setting quantizes the output; null where none does. */
export function outputRemark(results: readonly ResultIdentity[]): string | null {
  return results.some(({ outputFormat }) => outputFormat !== null) ? 'Y is not quantized here' : null
}

/** True for the text of an MX format; null, as loaded, is none. */
export function isMxFormat(text: string | null): boolean {
  return text !== null && parseFormat(text).format.family === 'mx'
}
