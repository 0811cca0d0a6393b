import type { TensorStatistics } from '../../experiment/tensor-statistics'
import { inputUses } from '../../store/selection'
import { tensorFacts } from '../../store/tensor-facts'
import { type TensorRow, tensorKey } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
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

/** What an input can be used as; nothing for other tensors, whose row chooses them. */
export function TensorUses({ row }: { readonly row: TensorRow }) {
  const uses = useApp(({ source }) => inputUses(source, row))
  const { chooseActivations, chooseWeight } = useActions()
  if (uses === null) return null
  const { fileId, tensor, obstacle } = row
  const { isActivations, isWeight, fits } = uses
  return (
    <div className={styles.uses}>
      <button
        type="button"
        data-test="use-as-activations"
        aria-pressed={isActivations}
        disabled={!isActivations && !fits}
        title={isActivations || fits ? undefined : 'The weight on screen has another input dimension.'}
        onClick={() => chooseActivations({ kind: 'captured', fileId, tensor })}
      >
        Use as activations
      </button>
      <button
        type="button"
        data-test="use-as-weight"
        aria-pressed={isWeight}
        disabled={obstacle !== null}
        title={obstacle === null ? undefined : `Cannot be chosen as weight: ${obstacle}`}
        onClick={() => chooseWeight({ fileId, tensor })}
      >
        Use as weight
      </button>
    </div>
  )
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
