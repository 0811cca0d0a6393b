/** What a report says about where it was taken. */
import type { Gpu } from '../../gpu/device'

/** Lanes of a subgroup, smallest and largest. */
export interface SubgroupSizes {
  readonly min: number
  readonly max: number
}

/** What the front door knows of its surroundings; null where it cannot know. */
export interface HostFacts {
  /** Browser, or Dawn and Node, with versions. */
  readonly runtime: string
  /** Of the sources, with "+" after it where they have been changed since. */
  readonly commit: string | null
  /** Mean number of busy processes over the last minute, when the run began. */
  readonly load: number | null
}

/** null where the browser does not say. */
export function subgroupSizes({ device }: Gpu): SubgroupSizes | null {
  const { subgroupMinSize: min, subgroupMaxSize: max } = device.adapterInfo ?? {}
  return min && max ? { min, max } : null
}
