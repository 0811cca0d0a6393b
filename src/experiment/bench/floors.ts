/** What any timing consists of at least: submits, dispatches, copies, read-backs. */
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { Recorder } from '../../gpu/recorder'
import { readBuffer, uploadMatrix } from '../../gpu/transfer'
import type { Entry } from './entry'

export const EMPTY_SUBMIT = 'empty submit'

const MEBIBYTE = 2 ** 20
const LARGE = 64 * MEBIBYTE

/** Of what allocates LARGE each time: on a crowded machine, where an empty submit is slow, many would fill the memory. */
const LARGE_REPETITIONS = 10

async function repeat(repetitions: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < repetitions; i++) await work()
}

/** Each repetition is a submit of its own, awaited: these floors are latencies. Buffers are allocated in `arena`. */
export function floors(gpu: Gpu, arena: Arena): Entry[] {
  const { queue } = gpu.device
  const scratch = new Arena(gpu)
  const tiny = uploadMatrix(gpu, arena, { rows: 1, cols: 32, data: new Float32Array(32) }, 'bench tiny')
  const large = arena.buffer(LARGE, 'bench large')
  const target = arena.buffer(LARGE, 'bench large copy')
  const zeros = new Uint8Array(LARGE)
  const record = async (call: (recorder: Recorder) => void) => {
    const recorder = new Recorder(gpu)
    call(recorder)
    recorder.submit()
    await queue.onSubmittedWorkDone()
    scratch.release()
  }
  const floor = (name: string, shape: string, bytes: number, once: () => Promise<unknown>): Entry => ({
    subject: {
      name,
      run: (repetitions) => repeat(repetitions, once),
      maxRepetitions: bytes >= LARGE ? LARGE_REPETITIONS : undefined,
    },
    shape,
    work: bytes > 0 ? { kind: 'bytes', bytes } : null,
  })
  return [
    floor(EMPTY_SUBMIT, '', 0, async () => {
      queue.submit([])
      await queue.onSubmittedWorkDone()
    }),
    floor('one dispatch', '128 B', 0, () => record((recorder) => copyMatrix(recorder, scratch, tiny))),
    floor('copyBufferToBuffer', '64 MiB', 2 * LARGE, () => record((recorder) => recorder.copy(large, target, LARGE))),
    floor('read-back', '4 B', 0, () => readBuffer(gpu, large, 4)),
    floor('read-back', '64 MiB', LARGE, () => readBuffer(gpu, large, LARGE)),
    floor('upload', '64 MiB', LARGE, async () => {
      queue.writeBuffer(large, 0, zeros)
      queue.submit([])
      await queue.onSubmittedWorkDone()
    }),
  ]
}
