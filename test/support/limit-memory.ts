/**
 * Makes `device` answer as one with memory for `bytes` of buffers: what is asked for beyond is had all the same, but the
 * error scope around it says that memory ran out.
 */
export function limitMemory(device: GPUDevice, bytes: number): void {
  const scopes: { readonly filter: GPUErrorFilter; exhausted: boolean }[] = []
  const createBuffer = device.createBuffer.bind(device)
  const pushErrorScope = device.pushErrorScope.bind(device)
  const popErrorScope = device.popErrorScope.bind(device)
  let live = 0
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor)
    const destroy = buffer.destroy.bind(buffer)
    live += descriptor.size
    buffer.destroy = () => {
      live -= descriptor.size
      return destroy()
    }
    const scope = scopes.findLast(({ filter }) => filter === 'out-of-memory')
    if (scope && live > bytes) scope.exhausted = true
    return buffer
  }
  device.pushErrorScope = (filter) => {
    scopes.push({ filter, exhausted: false })
    return pushErrorScope(filter)
  }
  device.popErrorScope = async () => {
    const exhausted = scopes.pop()?.exhausted ?? false
    const error = await popErrorScope()
    return exhausted ? ({ message: `no memory beyond ${bytes} bytes` } as GPUError) : error
  }
}
