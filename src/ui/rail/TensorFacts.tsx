import type { TensorStatistics } from '../../experiment/tensor-statistics'
import { tensorFacts } from '../../store/tensor-facts'
import { type TensorRow, tensorKey } from '../../store/tensor-rows'
import { useApp } from '../use-app'
import styles from './TensorList.module.css'

/** What the tensor of a line is made of, or why that is not known. */
export function TensorFacts({ row }: { readonly row: TensorRow }) {
  const details = useApp(({ source }) => source.details[tensorKey(row)])
  if (!details || details.kind === 'reading') return <p role="status">Reading {row.size}</p>
  if (details.kind === 'failed') {
    return (
      <p role="alert" data-test={`banner-${details.error.code}`}>
        <strong>{details.error.code}</strong> {details.error.message}
      </p>
    )
  }
  return <Facts statistics={details.statistics} />
}

function Facts({ statistics }: { readonly statistics: TensorStatistics }) {
  return (
    <dl className={styles.statistics} data-test="tensor-statistics">
      {tensorFacts(statistics).map(({ label, value, help, wide }) => (
        <div key={label} title={help} data-wide={wide}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
