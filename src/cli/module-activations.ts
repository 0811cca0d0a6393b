/** Several weights on one command line, each with activations of its own. */
import { InputError } from '../core/errors'
import { moduleOf } from '../experiment/export-parts'
import { capturedInput } from '../io/pair-layer'
import { checkReal, isReal } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { globMatcher, isPattern } from './glob'
import { type OpenFile, tensorByName } from './open-file'

/** FILE, and the file of the activations: the same one without --activations-file. */
export interface OpenFiles {
  readonly file: OpenFile
  readonly activations: OpenFile
}

const hasAxis = (tensor: TensorView) => tensor.shape.length > 0 && !tensor.shape.includes(0)

/** The tensors of a plain name or a pattern. Throws InputError TS-06 for none, TS-01 and TS-02 for what has no numbers. */
export function matchingTensors(file: OpenFile, pattern: string): readonly TensorView[] {
  if (!isPattern(pattern)) {
    const tensor = tensorByName(file, pattern)
    checkReal(tensor)
    if (hasAxis(tensor)) return [tensor]
    throw new InputError(
      'TS-02',
      `tensor "${pattern}": expected an axis to quantize along, found shape [${tensor.shape}].`,
    )
  }
  const matches = globMatcher(pattern)
  const found = file.tensors.filter((tensor) => matches(tensor.name) && isReal(tensor) && hasAxis(tensor))
  if (found.length > 0) return found
  throw new InputError('TS-06', `${file.source.name}: no floating-point tensor matches "${pattern}".`)
}

/**
 * The activations of `weight` by what stands on the command line: `auto` is its <module>.input or that of a projection that
 * shares it, {module} its name without ".weight". Throws InputError TS-06 where there is none.
 */
export function activationsFor({ activations }: OpenFiles, weight: TensorView, text: string): TensorView {
  const module = moduleOf(weight.name)
  if (text !== 'auto') return tensorByName(activations, text.replaceAll('{module}', module))
  const found = capturedInput(activations.tensors, weight)
  if (found) return found
  throw new InputError('TS-06', `${activations.source.name}: no tensor "${module}.input" for "${weight.name}".`)
}
