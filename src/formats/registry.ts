import { InputError } from '../core/errors'
import { bf16 } from './bf16'
import { fp16 } from './fp16'
import { int4 } from './int4'
import { int8 } from './int8'
import { mxfp4 } from './mxfp4'
import { mxfp6E2m3 } from './mxfp6-e2m3'
import { mxfp6E3m2 } from './mxfp6-e3m2'
import { mxfp8E4m3 } from './mxfp8-e4m3'
import { mxfp8E5m2 } from './mxfp8-e5m2'
import { mxint8 } from './mxint8'
import type { NumberFormat } from './number-format'
import { nvfp4 } from './nvfp4'

/** Every format a user may choose, family by family. A new format is one file and one line here. */
export const FORMATS: readonly NumberFormat[] = [
  mxfp8E4m3,
  mxfp8E5m2,
  mxint8,
  mxfp6E3m2,
  mxfp6E2m3,
  mxfp4,
  nvfp4,
  int8,
  int4,
  bf16,
  fp16,
]

/** The format called `id`, in capitals or not. Throws InputError FM-01, naming the ids that exist. */
export function formatById(id: string): NumberFormat {
  const format = FORMATS.find((candidate) => candidate.id === id.trim().toLowerCase())
  if (format) return format
  const known = FORMATS.map((candidate) => candidate.id).join(', ')
  throw new InputError('FM-01', `number format: expected one of ${known}, found "${id}".`)
}
