/** What methods make of the tensors of a layer, or of another tensor, as distributions. Computed on request. */
import { GpuError, isAbort, reportError } from '../core/errors'
import { completeOptions } from '../core/options'
import type { Progress } from '../core/progress'
import { checkMxChoices } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { addScaled } from '../gpu/kernels/add-scaled'
import { clipRows } from '../gpu/kernels/clip-rows'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { Recorder } from '../gpu/recorder'
import { matrixShape } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import type { Context, FitInput, FittedTransform, Method } from '../methods/method'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import type { FitCache } from './fit-cache'
import { headDimOf } from './kv-cache'
import type { LoadedLayer } from './load-layer'
import { loadRows, type TensorSource } from './load-tensor'
import { recordEstimate } from './measure'
import type { OutputQuantizer } from './output-heads'
import { profileActivations } from './profile'
import { type ProfileEvent, type ProfileRequest, type Profiles, profiledRows, takesTransform } from './profile-request'
import type { ComparisonContext } from './run-comparison'
import { quantizersOf, type SettingQuantizers } from './settings'

export interface ProfileContext extends ComparisonContext {
  readonly fits: FitCache
}

/** A tensor that is no part of the layer, and the layer's own weight as its file describes it. */
export interface ForeignTensor {
  readonly source: TensorSource
  readonly weight: TensorView
}

/** A method of the request with everything it is fitted with. */
interface Job {
  readonly method: Method
  readonly quantizers: SettingQuantizers
  readonly output: OutputQuantizer | null
  readonly input: FitInput
  /** Of the fit: what it depends on beside the layer. */
  readonly key: string
}

/** What every method of one run is put to. */
type Subject =
  | { readonly kind: 'layer'; readonly evaluation: GpuMatrix; readonly reference: GpuMatrix }
  /** Rows of another tensor, as wide as the input. */
  | { readonly kind: 'rows'; readonly rows: GpuMatrix }

interface RunParts {
  readonly request: ProfileRequest
  readonly context: ProfileContext
  readonly emit: (event: ProfileEvent) => void
}

/** Throws InputError for anything the request names that does not exist, before any work starts. */
function jobsOf(layer: LoadedLayer, request: ProfileRequest, reference: () => GpuMatrix): Job[] {
  checkMxChoices(request)
  const { setting, scaleRule, rounding, preScale, blockSize, headDim, seed } = request
  const quantizers = quantizersOf(setting, request)
  const { weight, activation, output: quantizer } = quantizers
  const output = quantizer ? { quantizer, headDim: headDimOf(layer.weight.rows, headDim) } : null
  return request.methods.map(({ id, options: chosen }) => {
    const method = methodById(id)
    const options = completeOptions({ id, code: 'MD-03' }, optionsOf(method), chosen)
    const formats = [setting.weightFormat, setting.activationFormat]
    const input: FitInput = {
      weight: layer.weight,
      calibration: layer.calibration,
      // Computed by the first fit that reads it: kept fits need none.
      get reference() {
        return reference()
      },
      config: { weight, activation },
      options,
      headDim,
    }
    const key = JSON.stringify([id, options, formats, scaleRule, rounding, preScale, blockSize, headDim, seed])
    return { method, quantizers, output, input, key }
  })
}

/** X' and X̂ of rows that take the activation side of the transform. */
async function profileRows(job: Job, rows: GpuMatrix, fitted: FittedTransform, context: Context): Promise<Profiles> {
  const { gpu, arena } = context
  const quantizer = job.quantizers.activation
  const transformed = fitted.apply(rows)
  if (!quantizer) return { tensor: { transformed: await profileActivations(gpu, arena, transformed) } }
  const recorder = new Recorder(gpu)
  const bounds = fitted.clip?.activation ?? null
  const clipped = bounds ? clipRows(recorder, arena, transformed, { shared: true, bounds }) : transformed
  const rounded = fakeQuantize(recorder, arena, clipped, quantizer)
  recorder.submit()
  return {
    tensor: {
      transformed: await profileActivations(gpu, arena, transformed),
      quantized: await profileActivations(gpu, arena, rounded),
    },
  }
}

/** X', X̂, W', Ŵ and Ŷ − Y of the layer: one fit serves them all. */
async function profileLayer(
  { method, input, output, quantizers }: Job,
  { evaluation, reference }: Extract<Subject, { kind: 'layer' }>,
  fitted: FittedTransform,
  context: Context,
): Promise<Profiles> {
  const { gpu, arena, signal } = context
  const product = await method.mitigation.quantizeWeight(fitted, input, context)
  signal.throwIfAborted()
  const transformed = fitted.apply(evaluation)
  const recorder = new Recorder(gpu)
  const { rounded, estimate } = recordEstimate(recorder, arena, { fitted, product, input, output }, transformed)
  const difference = addScaled(recorder, arena, estimate, reference, -1)
  recorder.submit()
  const profile = (matrix: GpuMatrix) => profileActivations(gpu, arena, matrix)
  return {
    activations: {
      transformed: await profile(transformed),
      ...(quantizers.activation && { quantized: await profile(rounded) }),
    },
    weight: {
      transformed: await profile(fitted.weight),
      ...(quantizers.weight && { quantized: await profile(product.weight) }),
    },
    error: { quantized: await profile(difference) },
  }
}

/** Runs one method in an arena of its own. Throws only what ends the whole run: a cancel or the loss of the device. */
async function runJob(job: Job, subject: Subject, { request, context, emit }: RunParts): Promise<ProfileEvent> {
  const { gpu, signal, fits } = context
  const method = job.method.id
  const arena = new Arena(gpu)
  const onProgress = (progress: Progress) => emit({ kind: 'progress', method, progress })
  const run = { gpu, signal, seed: request.seed, onProgress }
  try {
    const profiles = await withErrorScopes(gpu, signal, async () => {
      const fitted = await fits.get(job.key, gpu, (own) => job.method.transform.fit(job.input, { ...run, arena: own }))
      signal.throwIfAborted()
      return subject.kind === 'rows'
        ? profileRows(job, subject.rows, fitted, { ...run, arena })
        : profileLayer(job, subject, fitted, { ...run, arena })
    })
    arena.release()
    return { kind: 'profiled', method, profiles }
  } catch (error) {
    arena.release()
    fits.drop(job.key)
    if (isAbort(error) || (error instanceof GpuError && error.code === 'GP-04')) throw error
    gpu.pool.trim()
    return { kind: 'failed', method, error: reportError(error) }
  } finally {
    fits.trim()
  }
}

/** The first rows of a tensor of an open file. Throws what loadRows throws, TS-02 unless it has two axes. */
function loadTensor(from: TensorSource, { gpu, signal }: ProfileContext, arena: Arena): Promise<GpuMatrix> {
  matrixShape(from.tensor, 'weight')
  return loadRows(from, { start: 0, end: profiledRows(from.tensor.shape) }, { gpu, arena, signal })
}

/** Tells what is loaded. The answer is what the methods are put to; null: none of them applies. */
async function openSubject(
  layer: LoadedLayer,
  foreign: ForeignTensor | null,
  { context, emit }: RunParts,
  { arena, outputOf }: { readonly arena: Arena; readonly outputOf: (rows: GpuMatrix) => GpuMatrix },
): Promise<Subject | null> {
  const loaded = async (matrix: GpuMatrix) => ({ loaded: await profileActivations(context.gpu, arena, matrix) })
  if (foreign) {
    const rows = await loadTensor(foreign.source, context, arena)
    emit({ kind: 'loaded', profiles: { tensor: await loaded(rows) } })
    return takesTransform(foreign.source.tensor, foreign.weight, layer.weight.cols) ? { kind: 'rows', rows } : null
  }
  const { evaluation, weight } = layer
  emit({ kind: 'loaded', profiles: { activations: await loaded(evaluation), weight: await loaded(weight) } })
  return { kind: 'layer', evaluation, reference: outputOf(evaluation) }
}

/**
 * Profiles what `request` asks for and emits it as it is there: first the tensors as loaded, then, method by method, what
 * each makes of them. `foreign` is the tensor the request names. Methods apply to it only where takesTransform says so; of
 * any other the run tells what is loaded and nothing more. Transforms are fitted on calibration rows and kept in `fits`; X
 * and Ŷ − Y are those of the evaluation rows. A method that fails is told and the others go on.
 * Throws InputError before any work when the request names something that does not exist, TS-02 and TS-04 for a tensor that
 * is no finite matrix, GpuError GP-04 when the device is lost, and the signal's AbortError when the run is cancelled.
 */
export async function profileOperands(
  layer: LoadedLayer,
  request: ProfileRequest,
  { foreign, ...context }: ProfileContext & { readonly foreign: ForeignTensor | null },
  emit: (event: ProfileEvent) => void,
): Promise<void> {
  const { gpu, signal, fits } = context
  const arena = new Arena(gpu)
  const outputs = new Map<GpuMatrix, GpuMatrix>()
  const outputOf = (rows: GpuMatrix): GpuMatrix => {
    const known = outputs.get(rows)
    if (known) return known
    const recorder = new Recorder(gpu)
    const output = matmulNt(recorder, arena, rows, layer.weight)
    recorder.submit()
    outputs.set(rows, output)
    return output
  }
  const parts: RunParts = { request, context, emit }
  fits.keepOnly(layer)
  try {
    const jobs = jobsOf(layer, request, () => outputOf(layer.calibration))
    const subject = await withErrorScopes(gpu, signal, () => openSubject(layer, foreign, parts, { arena, outputOf }))
    for (const job of subject ? jobs : []) {
      signal.throwIfAborted()
      emit({ kind: 'started', method: job.method.id })
      if (subject) emit(await runJob(job, subject, parts))
    }
  } finally {
    arena.release()
  }
}
