#pragma once

#include <QtCore/QAbstractListModel>
#include <QtCore/QStringList>

namespace belay::ui {

class Service;

// The gadgets that are or were plugged in: those that are, first.
class GadgetModel final : public QAbstractListModel {
    Q_OBJECT

 public:
    enum Role {
        kPathRole = Qt::UserRole,  // the object's path
        kSubtitleRole,             // port and speed
        kChipRole,                 // the link in a word
        kToneRole,                 // int of its Tone
        kDimmedRole,               // it is away, or the service is
    };

    explicit GadgetModel(Service& service, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QStringList mimeTypes() const override;
    // A file that is dropped on a gadget is to be lent to it.
    bool canDropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                         const QModelIndex& parent) const override;
    bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                      const QModelIndex& parent) override;

    QModelIndex indexOf(const QString& path) const;

 signals:
    void fileDropped(const QString& gadget, const QString& file);

 private:
    void insert(const QString& path);
    void remove(const QString& path);
    void changed(const QString& path);
    int placeFor(const QString& path) const;
    bool before(const QString& left, const QString& right) const;

    Service& service_;
    QStringList paths_;
};

}  // namespace belay::ui
