/** The steps of a method that others have in common with it, each taken through the cache (shared-work.ts). */
import type { Quantizer } from '../formats/number-format'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { Recorder } from '../gpu/recorder'
import type {
  Context,
  FitInput,
  FittedTransform,
  Method,
  Mitigation,
  QuantizedWeight,
  RotationInput,
  SharedWork,
  Transform,
} from '../methods/method'
import { roundActivations } from '../methods/rounding/round-activations'
import { identity } from '../methods/transforms/identity'
import { referenceName, under, type WorkSession } from './shared-work'

/** Activations [tokens, in] and the output they give in full precision [tokens, out]. */
export interface Rows {
  readonly activations: GpuMatrix
  readonly reference: GpuMatrix
}

export type RowSet = 'calibration' | 'evaluation'

/** The context of a method whose work is shared. */
export interface SharingContext extends Context {
  readonly session: WorkSession
}

/** A transform that has been fitted, and what is kept of its X' and W'. */
export interface SharedFit {
  readonly fitted: FittedTransform
  readonly shared: SharedWork
}

type Own = Pick<RotationInput, 'config' | 'options'>

const ownOptions = ({ options: specs }: Pick<Transform | Mitigation, 'options'>, { options }: Own) =>
  specs.map(({ key }) => options[key])

/** The name of a fit: two with the same name on one layer are the same. */
export async function fitName(transform: Transform, input: RotationInput, seed: number): Promise<string> {
  const { config, headDim } = input
  const facts = transform.dependsOn ? await transform.dependsOn(input, seed) : [config, headDim, seed]
  return JSON.stringify([transform.id, ownOptions(transform, input), facts])
}

/** The name of the rows as they are loaded, which is that of the identity. */
export const AS_LOADED = JSON.stringify([identity.id, [], []])

/** The name of a quantized weight among what is made from a fit. */
export function weightName(mitigation: Mitigation, input: Own, seed: number): string {
  return JSON.stringify(['weight', mitigation.id, ownOptions(mitigation, input), input.config.weight, seed])
}

/** The name of the rounded X' of a set of rows among what is made from a fit. */
export const roundedName = (rows: RowSet, quantizer: Quantizer) => JSON.stringify(['rounded', rows, quantizer])

/** Both sets of rows with their outputs; the same object where they are the same rows. */
export async function sharedRows(
  layer: { readonly weight: GpuMatrix } & Readonly<Record<RowSet, GpuMatrix>>,
  { gpu, session }: Pick<SharingContext, 'gpu' | 'session'>,
): Promise<Readonly<Record<RowSet, Rows>>> {
  const rowsOf = async (set: RowSet): Promise<Rows> => {
    const activations = layer[set]
    const reference = await session.get(referenceName(set), async ({ arena }) => {
      const recorder = new Recorder(gpu)
      const output = matmulNt(recorder, arena, activations, layer.weight)
      recorder.submit()
      return output
    })
    return { activations, reference }
  }
  const calibration = await rowsOf('calibration')
  return { calibration, evaluation: layer.evaluation === layer.calibration ? calibration : await rowsOf('evaluation') }
}

/** The fit of the method's transform; \`apply\` computes X' of a matrix once. */
export async function sharedFit(
  { transform }: Method,
  input: FitInput,
  { session, ...context }: SharingContext,
): Promise<SharedFit> {
  const name = await fitName(transform, input, context.seed)
  const fitted = await session.get(name, async ({ arena, shared }) =>
    remembering(await transform.fit(input, { ...context, arena, shared: under(shared, AS_LOADED) })),
  )
  return { fitted, shared: session.under(name) }
}

function remembering(fitted: FittedTransform): FittedTransform {
  const known = new WeakMap<GpuMatrix, GpuMatrix>()
  const apply: FittedTransform['apply'] = (activations) => {
    const found = known.get(activations) ?? fitted.apply(activations)
    known.set(activations, found)
    return found
  }
  return { ...fitted, apply }
}

/** Ŵ of the method's mitigation. */
export function sharedWeight(
  { mitigation }: Method,
  { fitted, shared }: SharedFit,
  { input, context: { session: _, ...context } }: { readonly input: FitInput; readonly context: SharingContext },
): Promise<QuantizedWeight> {
  return shared.get(weightName(mitigation, input, context.seed), (own) =>
    mitigation.quantizeWeight(fitted, input, { ...context, ...own }),
  )
}

/** X̂ of a set of rows: X' clipped and rounded; X' where \`quantizer\` is null. */
export async function sharedRounded(
  { fitted, shared }: SharedFit,
  { set, rows, quantizer }: { readonly set: RowSet; readonly rows: GpuMatrix; readonly quantizer: Quantizer | null },
  { gpu }: Pick<Context, 'gpu'>,
): Promise<GpuMatrix> {
  const transformed = fitted.apply(rows)
  if (!quantizer) return transformed
  return shared.get(roundedName(set, quantizer), async ({ arena }) => {
    const recorder = new Recorder(gpu)
    const rounded = roundActivations(recorder, arena, transformed, { quantizer, clip: fitted.clip })
    recorder.submit()
    return rounded
  })
}
