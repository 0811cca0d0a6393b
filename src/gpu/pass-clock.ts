/** Time on the GPU's own clock: how long it spent inside compute passes. */

/** What a device must have for it. */
const FEATURE = 'timestamp-query'

/** A query set holds so many at most, by the specification. */
const QUERIES = 4096

const BYTES_PER_QUERY = 8
const NANOSECONDS = 1e-6

/** Times every pass that is recorded on the Gpu it belongs to. */
export interface PassClock {
  /** Where the next pass writes when it begins and ends; undefined when there is no room until `take` is called. */
  timestampWrites(): GPUComputePassTimestampWrites | undefined
  /**
   * Milliseconds inside passes since it was last called, waiting for what has been submitted. null when there was no pass
   * or more of them than there is room for.
   */
  take(): Promise<number | null>
  destroy(): void
}

/** null where the device has no such clock. */
export function createPassClock(device: GPUDevice): PassClock | null {
  if (!device.features.has(FEATURE)) return null
  const size = QUERIES * BYTES_PER_QUERY
  const querySet = device.createQuerySet({ label: 'pass clock', type: 'timestamp', count: QUERIES })
  const resolved = device.createBuffer({
    label: 'pass clock, resolved',
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  })
  const staging = device.createBuffer({
    label: 'pass clock, read back',
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  })
  let passes = 0
  const read = async (queries: number) => {
    const bytes = queries * BYTES_PER_QUERY
    const encoder = device.createCommandEncoder({ label: 'pass clock' })
    encoder.resolveQuerySet(querySet, 0, queries, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes)
    device.queue.submit([encoder.finish()])
    await staging.mapAsync(GPUMapMode.READ, 0, bytes)
    const times = new BigUint64Array(staging.getMappedRange(0, bytes).slice(0))
    staging.unmap()
    return times
  }
  return {
    timestampWrites() {
      const first = 2 * passes
      passes += 1
      if (first + 2 > QUERIES) return undefined
      return { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 }
    },
    async take() {
      const taken = passes
      passes = 0
      if (taken === 0 || 2 * taken > QUERIES) return null
      const times = await read(2 * taken)
      let milliseconds = 0
      // A clock that was set back between the two counts as no time.
      for (let i = 0; i < times.length; i += 2) {
        milliseconds += Math.max(0, Number(times[i + 1] - times[i])) * NANOSECONDS
      }
      return milliseconds
    },
    destroy() {
      querySet.destroy()
      resolved.destroy()
      staging.destroy()
    },
  }
}
