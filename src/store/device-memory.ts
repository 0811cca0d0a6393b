/** Small choices that are kept on the device from visit to visit, where the browser keeps anything. */
export interface DeviceMemory {
  /** null where nothing is kept. */
  read(key: string): string | null
  write(key: string, value: string): void
}

/** Names of this page's keys begin so: "Forget everything" clears them. */
const PREFIX = 'mxscope-'

/** Over the browser's own storage, which throws in private windows and where it is full: then nothing is kept. */
export function createDeviceMemory(storage: () => Storage): DeviceMemory {
  const tried = <T>(work: (store: Storage) => T): T | null => {
    try {
      return work(storage())
    } catch {
      return null
    }
  }
  return {
    read: (key) => tried((store) => store.getItem(PREFIX + key)),
    write: (key, value) => void tried((store) => store.setItem(PREFIX + key, value)),
  }
}
