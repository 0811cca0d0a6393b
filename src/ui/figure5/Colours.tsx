import { formatMagnitude } from '../../figures/format-number'
import type { PositiveRange } from '../../figures/shared-scales'
import styles from './figure5.module.css'

/** The colours of a map and the magnitudes at their ends. */
export function Colours({ range: { min, max } }: { readonly range: PositiveRange }) {
  return (
    <span className={styles.colours}>
      {formatMagnitude(min)} <i /> {formatMagnitude(max)}
    </span>
  )
}
